;; Work on many values, four float32 at a time. Addresses are bytes; loops may run up to 44 bytes over `end`, the memory has room.
;; tests/fixtures/kernel/build.ts assembles this file into _kernel_bytes.ts.
(module
  (memory (export "memory") 5)

  ;; x = a x + b, cut to 0..1.
  (func (export "blend") (param $p i32) (param $end i32) (param $a f32) (param $b f32)
    (local $va v128) (local $vb v128) (local $one v128)
    (local.set $va (f32x4.splat (local.get $a)))
    (local.set $vb (f32x4.splat (local.get $b)))
    (local.set $one (f32x4.splat (f32.const 1)))
    (loop $step
      (v128.store (local.get $p) (f32x4.pmin (local.get $one) (f32x4.pmax (v128.const f32x4 0 0 0 0)
        (f32x4.add (local.get $vb) (f32x4.mul (local.get $va) (v128.load (local.get $p)))))))
      (v128.store offset=16 (local.get $p) (f32x4.pmin (local.get $one) (f32x4.pmax (v128.const f32x4 0 0 0 0)
        (f32x4.add (local.get $vb) (f32x4.mul (local.get $va) (v128.load offset=16 (local.get $p)))))))
      (br_if $step (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 32))) (local.get $end)))))

  ;; The sum of r x₀ + g x₁ + b x₂ + r x₃ + …, in float64; beyond the last value there are zeros up to a multiple of 48 bytes.
  (func (export "sum") (param $p i32) (param $end i32) (param $r f32) (param $g f32) (param $b f32) (result f64)
    (local $w0 v128) (local $w1 v128) (local $w2 v128) (local $v v128) (local $low v128) (local $high v128)
    (local.set $w0 (f32x4.replace_lane 1 (f32x4.replace_lane 2 (f32x4.splat (local.get $r)) (local.get $b)) (local.get $g)))
    (local.set $w1 (f32x4.replace_lane 1 (f32x4.replace_lane 2 (f32x4.splat (local.get $g)) (local.get $r)) (local.get $b)))
    (local.set $w2 (f32x4.replace_lane 1 (f32x4.replace_lane 2 (f32x4.splat (local.get $b)) (local.get $g)) (local.get $r)))
    (loop $step
      (local.set $v
        (f32x4.add (f32x4.mul (local.get $w0) (v128.load (local.get $p)))
          (f32x4.add (f32x4.mul (local.get $w1) (v128.load offset=16 (local.get $p)))
            (f32x4.mul (local.get $w2) (v128.load offset=32 (local.get $p))))))
      (local.set $low (f64x2.add (local.get $low) (f64x2.promote_low_f32x4 (local.get $v))))
      (local.set $high (f64x2.add (local.get $high)
        (f64x2.promote_low_f32x4 (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $v) (local.get $v)))))
      (br_if $step (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 48))) (local.get $end))))
    (local.set $low (f64x2.add (local.get $low) (local.get $high)))
    (f64.add (f64x2.extract_lane 0 (local.get $low)) (f64x2.extract_lane 1 (local.get $low))))

  ;; 1 when all values are finite: x − x is 0 for these alone. Beyond the last value there are zeros.
  (func (export "finite") (param $p i32) (param $end i32) (result i32)
    (local $odd v128) (local $v v128)
    (loop $step
      (local.set $v (v128.load (local.get $p)))
      (local.set $odd (v128.or (local.get $odd) (f32x4.sub (local.get $v) (local.get $v))))
      (br_if $step (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 16))) (local.get $end))))
    (i32.eqz (v128.any_true (local.get $odd))))

  ;; Color pixels: x = f x + (1 − f) (r R + g G + b B), cut to 0..1; four pixels a step.
  (func (export "saturate")
    (param $p i32) (param $end i32) (param $f f32) (param $r f32) (param $g f32) (param $b f32)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $red v128) (local $green v128) (local $blue v128)
    (local $grey v128) (local $vf v128) (local $one v128) (local $rest f32)
    (local.set $vf (f32x4.splat (local.get $f)))
    (local.set $one (f32x4.splat (f32.const 1)))
    (local.set $rest (f32.sub (f32.const 1) (local.get $f)))
    (local.set $red (f32x4.splat (f32.mul (local.get $rest) (local.get $r))))
    (local.set $green (f32x4.splat (f32.mul (local.get $rest) (local.get $g))))
    (local.set $blue (f32x4.splat (f32.mul (local.get $rest) (local.get $b))))
    (loop $step
      (local.set $v0 (v128.load (local.get $p)))
      (local.set $v1 (v128.load offset=16 (local.get $p)))
      (local.set $v2 (v128.load offset=32 (local.get $p)))
      ;; R: v0[0] v0[3] v1[2] v2[1] · G: v0[1] v1[0] v1[3] v2[2] · B: v0[2] v1[1] v2[0] v2[3]
      (local.set $grey
        (f32x4.add
          (f32x4.mul (local.get $red)
            (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 20 21 22 23
              (i8x16.shuffle 0 1 2 3 12 13 14 15 24 25 26 27 0 1 2 3 (local.get $v0) (local.get $v1)) (local.get $v2)))
          (f32x4.add
            (f32x4.mul (local.get $green)
              (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 24 25 26 27
                (i8x16.shuffle 4 5 6 7 16 17 18 19 28 29 30 31 0 1 2 3 (local.get $v0) (local.get $v1)) (local.get $v2)))
            (f32x4.mul (local.get $blue)
              (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 28 29 30 31
                (i8x16.shuffle 8 9 10 11 20 21 22 23 0 1 2 3 0 1 2 3 (local.get $v0) (local.get $v1)) (local.get $v2))))))
      (v128.store (local.get $p) (f32x4.pmin (local.get $one) (f32x4.pmax (v128.const f32x4 0 0 0 0)
        (f32x4.add (f32x4.mul (local.get $vf) (local.get $v0))
          (i8x16.shuffle 0 1 2 3 0 1 2 3 0 1 2 3 4 5 6 7 (local.get $grey) (local.get $grey))))))
      (v128.store offset=16 (local.get $p) (f32x4.pmin (local.get $one) (f32x4.pmax (v128.const f32x4 0 0 0 0)
        (f32x4.add (f32x4.mul (local.get $vf) (local.get $v1))
          (i8x16.shuffle 4 5 6 7 4 5 6 7 8 9 10 11 8 9 10 11 (local.get $grey) (local.get $grey))))))
      (v128.store offset=32 (local.get $p) (f32x4.pmin (local.get $one) (f32x4.pmax (v128.const f32x4 0 0 0 0)
        (f32x4.add (f32x4.mul (local.get $vf) (local.get $v2))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 12 13 14 15 12 13 14 15 (local.get $grey) (local.get $grey))))))
      (br_if $step (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 48))) (local.get $end)))))

  ;; x = x + level · normal (photon = 0) or x + level √x · normal (photon = 1), cut to 0..1. The normal numbers are entries of
  ;; the table of 65,536 float32 at address 0, chosen by the halves of random words: sfc32 with the state a, b, c, counter d.
  (func (export "addNoise")
    (param $p i32) (param $end i32) (param $level f32) (param $photon i32)
    (param $a i32) (param $b i32) (param $c i32) (param $d i32)
    (local $word i32) (local $x v128) (local $n v128) (local $zero v128) (local $one v128)
    (local.set $one (f32x4.splat (f32.const 1)))
    (loop $step
      ;; four numbers from two words
      (local.set $word (i32.add (i32.add (local.get $a) (local.get $b)) (local.get $d)))
      (local.set $d (i32.add (local.get $d) (i32.const 1)))
      (local.set $a (i32.xor (local.get $b) (i32.shr_u (local.get $b) (i32.const 9))))
      (local.set $b (i32.add (local.get $c) (i32.shl (local.get $c) (i32.const 3))))
      (local.set $c (i32.add (i32.rotl (local.get $c) (i32.const 21)) (local.get $word)))
      (local.set $n (v128.load32_zero (i32.shl (i32.and (local.get $word) (i32.const 0xffff)) (i32.const 2))))
      (local.set $n (v128.load32_lane 1 (i32.shl (i32.shr_u (local.get $word) (i32.const 16)) (i32.const 2)) (local.get $n)))
      (local.set $word (i32.add (i32.add (local.get $a) (local.get $b)) (local.get $d)))
      (local.set $d (i32.add (local.get $d) (i32.const 1)))
      (local.set $a (i32.xor (local.get $b) (i32.shr_u (local.get $b) (i32.const 9))))
      (local.set $b (i32.add (local.get $c) (i32.shl (local.get $c) (i32.const 3))))
      (local.set $c (i32.add (i32.rotl (local.get $c) (i32.const 21)) (local.get $word)))
      (local.set $n (v128.load32_lane 2 (i32.shl (i32.and (local.get $word) (i32.const 0xffff)) (i32.const 2)) (local.get $n)))
      (local.set $n (v128.load32_lane 3 (i32.shl (i32.shr_u (local.get $word) (i32.const 16)) (i32.const 2)) (local.get $n)))
      (local.set $x (v128.load (local.get $p)))
      (local.set $n (f32x4.mul (f32x4.splat (local.get $level)) (local.get $n)))
      (if (local.get $photon)
        (then (local.set $n (f32x4.mul (local.get $n) (f32x4.sqrt (f32x4.pmax (local.get $zero) (local.get $x)))))))
      (v128.store (local.get $p)
        (f32x4.pmin (local.get $one) (f32x4.pmax (local.get $zero) (f32x4.add (local.get $x) (local.get $n)))))
      (br_if $step (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 16))) (local.get $end))))))
