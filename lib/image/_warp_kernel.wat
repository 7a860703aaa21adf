;; The inner loop of a bilinear warp with zeros beyond the picture. Addresses and strides are bytes.
;; tests/fixtures/kernel/build.ts assembles this file into _warp_kernel_bytes.ts.
(module
  (memory (export "memory") 1)

  ;; `count` pixels of one line: pixel k is what the picture has at u = x + k dx + xs[k], v = y + k dy + ys[k], in pixels of the
  ;; picture with a frame of one pixel of zeros, whose centers are at whole numbers; `width` and `height` are those of the picture
  ;; without it. Affine maps have `step` 0 and a 0 at `xs` and `ys`; dense ones have step 4 and a float32 for each pixel.
  ;; `color`: three values a pixel in place of one; then up to 4 bytes behind the line are written, and read behind the picture.
  (func (export "warpLine")
    (param $picture i32) (param $stride i32) (param $width f64) (param $height f64) (param $color i32)
    (param $out i32) (param $count i32)
    (param $x f64) (param $y f64) (param $dx f64) (param $dy f64) (param $xs i32) (param $ys i32) (param $step i32)
    (local $k f64) (local $u f64) (local $v f64) (local $column i32) (local $row i32) (local $at i32)
    (local $p v128) (local $top v128) (local $bottom v128) (local $value v128) (local $size i32)
    (local.set $width (f64.add (local.get $width) (f64.const 1)))
    (local.set $height (f64.add (local.get $height) (f64.const 1)))
    (local.set $size (select (i32.const 12) (i32.const 4) (local.get $color)))
    (loop $pixel
      (local.set $u (f64.add (f64.add (local.get $x) (f64.mul (local.get $k) (local.get $dx)))
        (f64.promote_f32 (f32.load (local.get $xs)))))
      (local.set $v (f64.add (f64.add (local.get $y) (f64.mul (local.get $k) (local.get $dy)))
        (f64.promote_f32 (f32.load (local.get $ys)))))
      (local.set $value (v128.const f32x4 0 0 0 0))
      (if (i32.and
            (i32.and (f64.ge (local.get $u) (f64.const 0)) (f64.lt (local.get $u) (local.get $width)))
            (i32.and (f64.ge (local.get $v) (f64.const 0)) (f64.lt (local.get $v) (local.get $height)))) ;; NaN: no
        (then
          (local.set $column (i32.trunc_f64_s (local.get $u)))
          (local.set $row (i32.trunc_f64_s (local.get $v)))
          (local.set $at (i32.add (local.get $picture) (i32.add (i32.mul (local.get $row) (local.get $stride))
            (i32.mul (local.get $column) (local.get $size)))))
          (local.set $p (f32x4.splat (f32.demote_f64 (f64.sub (local.get $v) (f64.convert_i32_s (local.get $row))))))
          (if (local.get $color)
            (then
              (local.set $top (v128.load (local.get $at)))
              (local.set $bottom (v128.load (i32.add (local.get $at) (local.get $stride))))
              (local.set $value (f32x4.add (local.get $top)
                (f32x4.mul (local.get $p) (f32x4.sub (local.get $bottom) (local.get $top)))))
              (local.set $top (v128.load offset=12 (local.get $at)))
              (local.set $bottom (v128.load offset=12 (i32.add (local.get $at) (local.get $stride))))
              (local.set $top (f32x4.add (local.get $top)
                (f32x4.mul (local.get $p) (f32x4.sub (local.get $bottom) (local.get $top))))))
            (else
              (local.set $top (v128.load64_zero (local.get $at)))
              (local.set $bottom (v128.load64_zero (i32.add (local.get $at) (local.get $stride))))
              (local.set $value (f32x4.add (local.get $top)
                (f32x4.mul (local.get $p) (f32x4.sub (local.get $bottom) (local.get $top)))))
              (local.set $top (i8x16.shuffle 4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7 (local.get $value) (local.get $value)))))
          (local.set $p (f32x4.splat (f32.demote_f64 (f64.sub (local.get $u) (f64.convert_i32_s (local.get $column))))))
          (local.set $value (f32x4.add (local.get $value)
            (f32x4.mul (local.get $p) (f32x4.sub (local.get $top) (local.get $value)))))))
      (if (local.get $color)
        (then (v128.store (local.get $out) (local.get $value)))
        (else (f32.store (local.get $out) (f32x4.extract_lane 0 (local.get $value)))))
      (local.set $out (i32.add (local.get $out) (local.get $size)))
      (local.set $xs (i32.add (local.get $xs) (local.get $step)))
      (local.set $ys (i32.add (local.get $ys) (local.get $step)))
      (local.set $k (f64.add (local.get $k) (f64.const 1)))
      (br_if $pixel (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))
