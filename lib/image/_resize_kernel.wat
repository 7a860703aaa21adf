;; The inner loops of a resize, four float32 values at a time. Addresses and lengths are bytes unless said otherwise.
;; `deno task wasm` assembles this file into _resize_kernel_bytes.ts.
(module
  (memory (export "memory") 1)

  ;; line[k] += w0 r0[k] + w1 r1[k] + w2 r2[k] + w3 r3[k] for k in 0 … length, four values a step, of four rows that lie `stride`
  ;; bytes apart. `length` is above zero; what is read and written beyond it, up to a multiple of 16 bytes, is of no use.
  (func (export "addRows")
    (param $line i32) (param $length i32) (param $rows i32) (param $stride i32)
    (param $w0 f32) (param $w1 f32) (param $w2 f32) (param $w3 f32)
    (local $end i32) (local $r1 i32) (local $r2 i32) (local $r3 i32)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128)
    (local.set $v0 (f32x4.splat (local.get $w0)))
    (local.set $v1 (f32x4.splat (local.get $w1)))
    (local.set $v2 (f32x4.splat (local.get $w2)))
    (local.set $v3 (f32x4.splat (local.get $w3)))
    (local.set $r1 (i32.add (local.get $rows) (local.get $stride)))
    (local.set $r2 (i32.add (local.get $r1) (local.get $stride)))
    (local.set $r3 (i32.add (local.get $r2) (local.get $stride)))
    (local.set $end (i32.add (local.get $line) (local.get $length)))
    (loop $step
      (v128.store (local.get $line)
        (f32x4.add (v128.load (local.get $line))
          (f32x4.add
            (f32x4.add
              (f32x4.mul (local.get $v0) (v128.load (local.get $rows)))
              (f32x4.mul (local.get $v1) (v128.load (local.get $r1))))
            (f32x4.add
              (f32x4.mul (local.get $v2) (v128.load (local.get $r2)))
              (f32x4.mul (local.get $v3) (v128.load (local.get $r3)))))))
      (local.set $rows (i32.add (local.get $rows) (i32.const 16)))
      (local.set $r1 (i32.add (local.get $r1) (i32.const 16)))
      (local.set $r2 (i32.add (local.get $r2) (i32.const 16)))
      (local.set $r3 (i32.add (local.get $r3) (i32.const 16)))
      (br_if $step
        (i32.lt_u (local.tee $line (i32.add (local.get $line) (i32.const 16))) (local.get $end)))))

  ;; The same for two lines at once, the second one with the weights u0 … u3, so that the rows are read once.
  (func (export "addRowsTwice")
    (param $line i32) (param $second i32) (param $length i32) (param $rows i32) (param $stride i32)
    (param $w0 f32) (param $w1 f32) (param $w2 f32) (param $w3 f32)
    (param $u0 f32) (param $u1 f32) (param $u2 f32) (param $u3 f32)
    (local $end i32) (local $r1 i32) (local $r2 i32) (local $r3 i32)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $v3 v128)
    (local $t0 v128) (local $t1 v128) (local $t2 v128) (local $t3 v128)
    (local $x0 v128) (local $x1 v128) (local $x2 v128) (local $x3 v128)
    (local.set $v0 (f32x4.splat (local.get $w0)))
    (local.set $v1 (f32x4.splat (local.get $w1)))
    (local.set $v2 (f32x4.splat (local.get $w2)))
    (local.set $v3 (f32x4.splat (local.get $w3)))
    (local.set $t0 (f32x4.splat (local.get $u0)))
    (local.set $t1 (f32x4.splat (local.get $u1)))
    (local.set $t2 (f32x4.splat (local.get $u2)))
    (local.set $t3 (f32x4.splat (local.get $u3)))
    (local.set $r1 (i32.add (local.get $rows) (local.get $stride)))
    (local.set $r2 (i32.add (local.get $r1) (local.get $stride)))
    (local.set $r3 (i32.add (local.get $r2) (local.get $stride)))
    (local.set $end (i32.add (local.get $line) (local.get $length)))
    (loop $step
      (local.set $x0 (v128.load (local.get $rows)))
      (local.set $x1 (v128.load (local.get $r1)))
      (local.set $x2 (v128.load (local.get $r2)))
      (local.set $x3 (v128.load (local.get $r3)))
      (v128.store (local.get $line)
        (f32x4.add (v128.load (local.get $line))
          (f32x4.add
            (f32x4.add (f32x4.mul (local.get $v0) (local.get $x0)) (f32x4.mul (local.get $v1) (local.get $x1)))
            (f32x4.add (f32x4.mul (local.get $v2) (local.get $x2)) (f32x4.mul (local.get $v3) (local.get $x3))))))
      (v128.store (local.get $second)
        (f32x4.add (v128.load (local.get $second))
          (f32x4.add
            (f32x4.add (f32x4.mul (local.get $t0) (local.get $x0)) (f32x4.mul (local.get $t1) (local.get $x1)))
            (f32x4.add (f32x4.mul (local.get $t2) (local.get $x2)) (f32x4.mul (local.get $t3) (local.get $x3))))))
      (local.set $rows (i32.add (local.get $rows) (i32.const 16)))
      (local.set $r1 (i32.add (local.get $r1) (i32.const 16)))
      (local.set $r2 (i32.add (local.get $r2) (i32.const 16)))
      (local.set $r3 (i32.add (local.get $r3) (i32.const 16)))
      (local.set $second (i32.add (local.get $second) (i32.const 16)))
      (br_if $step
        (i32.lt_u (local.tee $line (i32.add (local.get $line) (i32.const 16))) (local.get $end)))))

  ;; out[c] = sum over k of weights[c][k] · line[first[c] + k], for each of `columns` columns.
  ;; spans: two int32 a column: the place of its first value in the line, the bytes of its weights (above zero, a multiple of 16).
  ;; weights: `stride` bytes a column, zeros behind the last.
  (func (export "shrinkLine")
    (param $line i32) (param $spans i32) (param $weights i32) (param $stride i32) (param $out i32) (param $columns i32)
    (local $p i32) (local $q i32) (local $end i32) (local $sum v128)
    (loop $column
      (local.set $p (i32.add (local.get $line) (i32.load (local.get $spans))))
      (local.set $q (local.get $weights))
      (local.set $end (i32.add (local.get $q) (i32.load offset=4 (local.get $spans))))
      (local.set $sum (v128.const f32x4 0 0 0 0))
      (loop $tap
        (local.set $sum
          (f32x4.add (local.get $sum) (f32x4.mul (v128.load (local.get $p)) (v128.load (local.get $q)))))
        (local.set $p (i32.add (local.get $p) (i32.const 16)))
        (br_if $tap
          (i32.lt_u (local.tee $q (i32.add (local.get $q) (i32.const 16))) (local.get $end))))
      (f32.store (local.get $out)
        (f32.add
          (f32.add (f32x4.extract_lane 0 (local.get $sum)) (f32x4.extract_lane 1 (local.get $sum)))
          (f32.add (f32x4.extract_lane 2 (local.get $sum)) (f32x4.extract_lane 3 (local.get $sum)))))
      (local.set $spans (i32.add (local.get $spans) (i32.const 8)))
      (local.set $weights (i32.add (local.get $weights) (local.get $stride)))
      (local.set $out (i32.add (local.get $out) (i32.const 4)))
      (br_if $column (local.tee $columns (i32.sub (local.get $columns) (i32.const 1)))))))
