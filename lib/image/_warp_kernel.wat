;; A bilinear warp. Addresses and strides are bytes.
;; `deno task wasm` assembles this file into _warp_kernel_bytes.ts.
(module
  (memory (export "memory") 1)

  ;; Pixel k of line l is what the picture has at u = x + k dx + l ex + xs[l, k], v = y + k dy + l ey + ys[l, k], in pixels of the
  ;; picture with a frame of one pixel, whose centers are at whole numbers; `width` and `height` are those of the picture without
  ;; it. Affine maps have `step` 0 and a 0 at `xs` and `ys`; dense ones have step 4 and a float32 for each pixel. Beyond the frame
  ;; there is 0; with `edge`, the frame, which then repeats the outermost pixels, goes on for ever.
  ;; `color`: three values a pixel in place of one; then up to 4 bytes behind the result are written, and read behind the picture.
  (func (export "warp")
    (param $picture i32) (param $stride i32) (param $width f64) (param $height f64) (param $color i32) (param $edge i32)
    (param $out i32) (param $lines i32) (param $count i32)
    (param $x f64) (param $y f64) (param $dx f64) (param $dy f64) (param $ex f64) (param $ey f64)
    (param $xs i32) (param $ys i32) (param $step i32)
    (local $column i32) (local $l f64) (local $next v128)
    (local $k f64) (local $start v128) (local $delta v128) (local $size v128) (local $limit v128)
    (local $uv v128) (local $whole v128) (local $share v128) (local $at i32) (local $bytes i32)
    (local $top v128) (local $bottom v128) (local $value v128)
    (local.set $next (f64x2.replace_lane 1 (f64x2.splat (local.get $ex)) (local.get $ey)))
    (local.set $delta (f64x2.replace_lane 1 (f64x2.splat (local.get $dx)) (local.get $dy)))
    (local.set $size (f64x2.replace_lane 1 (f64x2.splat (local.get $width)) (local.get $height)))
    (local.set $limit (f64x2.add (local.get $size) (f64x2.splat (f64.const 1))))
    (local.set $bytes (select (i32.const 12) (i32.const 4) (local.get $color)))
    (loop $line
    (local.set $start (f64x2.add (f64x2.replace_lane 1 (f64x2.splat (local.get $x)) (local.get $y))
      (f64x2.mul (f64x2.splat (local.get $l)) (local.get $next))))
    (local.set $k (f64.const 0))
    (local.set $column (local.get $count))
    (loop $pixel
      (local.set $uv
        (f64x2.add
          (f64x2.add (local.get $start) (f64x2.mul (f64x2.splat (local.get $k)) (local.get $delta)))
          (f64x2.promote_low_f32x4
            (v128.load32_lane 1 (local.get $ys) (v128.load32_zero (local.get $xs))))))
      (if (local.get $edge)
        (then (local.set $uv ;; NaN stays NaN, and what is infinite becomes it
          (f64x2.pmin (f64x2.pmax (f64x2.add (local.get $uv) (f64x2.sub (local.get $uv) (local.get $uv)))
            (v128.const f64x2 0 0)) (local.get $size)))))
      (local.set $value (v128.const f32x4 0 0 0 0))
      (if (i64x2.all_true (v128.and
            (f64x2.ge (local.get $uv) (v128.const f64x2 0 0)) (f64x2.lt (local.get $uv) (local.get $limit)))) ;; NaN: no
        (then
          (local.set $whole (i32x4.trunc_sat_f64x2_s_zero (local.get $uv)))
          (local.set $share (f32x4.demote_f64x2_zero
            (f64x2.sub (local.get $uv) (f64x2.convert_low_i32x4_s (local.get $whole)))))
          (local.set $at (i32.add (local.get $picture) (i32.add
            (i32.mul (i32x4.extract_lane 1 (local.get $whole)) (local.get $stride))
            (i32.mul (i32x4.extract_lane 0 (local.get $whole)) (local.get $bytes)))))
          (local.set $bottom (i8x16.shuffle 4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7 (local.get $share) (local.get $share)))
          (if (local.get $color)
            (then
              (local.set $value (f32x4.add (v128.load (local.get $at)) (f32x4.mul (local.get $bottom)
                (f32x4.sub (v128.load (i32.add (local.get $at) (local.get $stride))) (v128.load (local.get $at))))))
              (local.set $top (f32x4.add (v128.load offset=12 (local.get $at)) (f32x4.mul (local.get $bottom)
                (f32x4.sub (v128.load offset=12 (i32.add (local.get $at) (local.get $stride)))
                  (v128.load offset=12 (local.get $at)))))))
            (else
              (local.set $value (v128.load64_zero (local.get $at)))
              (local.set $value (f32x4.add (local.get $value) (f32x4.mul (local.get $bottom)
                (f32x4.sub (v128.load64_zero (i32.add (local.get $at) (local.get $stride))) (local.get $value)))))
              (local.set $top (i8x16.shuffle 4 5 6 7 4 5 6 7 4 5 6 7 4 5 6 7 (local.get $value) (local.get $value)))))
          (local.set $value (f32x4.add (local.get $value) (f32x4.mul
            (i8x16.shuffle 0 1 2 3 0 1 2 3 0 1 2 3 0 1 2 3 (local.get $share) (local.get $share))
            (f32x4.sub (local.get $top) (local.get $value)))))))
      (if (local.get $color)
        (then (v128.store (local.get $out) (local.get $value)))
        (else (v128.store32_lane 0 (local.get $out) (local.get $value))))
      (local.set $out (i32.add (local.get $out) (local.get $bytes)))
      (local.set $xs (i32.add (local.get $xs) (local.get $step)))
      (local.set $ys (i32.add (local.get $ys) (local.get $step)))
      (local.set $k (f64.add (local.get $k) (f64.const 1)))
      (br_if $pixel (local.tee $column (i32.sub (local.get $column) (i32.const 1)))))
    (local.set $l (f64.add (local.get $l) (f64.const 1)))
    (br_if $line (local.tee $lines (i32.sub (local.get $lines) (i32.const 1)))))))
