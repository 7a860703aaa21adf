;; Work on many values, four float32 at a time. Addresses are bytes; loops may run up to 44 bytes over `end`, the memory has room.
;; pmax(x, 0) and pmin(x, 1), in this order, leave NaN what it is.
;; `deno task wasm` assembles this file into _kernel_bytes.ts.
(module
  (memory (export "memory") 5)

  ;; x = a x + b, cut to 0..1.
  (func (export "blend") (param $p i32) (param $end i32) (param $a f32) (param $b f32)
    (local $va v128) (local $vb v128) (local $one v128)
    (local.set $va (f32x4.splat (local.get $a)))
    (local.set $vb (f32x4.splat (local.get $b)))
    (local.set $one (f32x4.splat (f32.const 1)))
    (loop $step
      (v128.store (local.get $p) (f32x4.pmin (f32x4.pmax
        (f32x4.add (local.get $vb) (f32x4.mul (local.get $va) (v128.load (local.get $p)))) (v128.const f32x4 0 0 0 0)) (local.get $one)))
      (v128.store offset=16 (local.get $p) (f32x4.pmin (f32x4.pmax
        (f32x4.add (local.get $vb) (f32x4.mul (local.get $va) (v128.load offset=16 (local.get $p)))) (v128.const f32x4 0 0 0 0)) (local.get $one)))
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
      (v128.store (local.get $p) (f32x4.pmin (f32x4.pmax
        (f32x4.add (f32x4.mul (local.get $vf) (local.get $v0))
          (i8x16.shuffle 0 1 2 3 0 1 2 3 0 1 2 3 4 5 6 7 (local.get $grey) (local.get $grey))) (v128.const f32x4 0 0 0 0)) (local.get $one)))
      (v128.store offset=16 (local.get $p) (f32x4.pmin (f32x4.pmax
        (f32x4.add (f32x4.mul (local.get $vf) (local.get $v1))
          (i8x16.shuffle 4 5 6 7 4 5 6 7 8 9 10 11 8 9 10 11 (local.get $grey) (local.get $grey))) (v128.const f32x4 0 0 0 0)) (local.get $one)))
      (v128.store offset=32 (local.get $p) (f32x4.pmin (f32x4.pmax
        (f32x4.add (f32x4.mul (local.get $vf) (local.get $v2))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 12 13 14 15 12 13 14 15 (local.get $grey) (local.get $grey))) (v128.const f32x4 0 0 0 0)) (local.get $one)))
      (br_if $step (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 48))) (local.get $end)))))

  ;; x mod 6, in [0, 6).
  (func $mod6 (param $x f64) (result v128)
    (f32x4.splat (f32.demote_f64
      (f64.sub (local.get $x) (f64.mul (f64.const 6) (f64.floor (f64.div (local.get $x) (f64.const 6))))))))

  ;; V − C max(0, min(k, 4 − k, 1)) with k = a + s, a in [−1, 1] and s in [0, 6): a channel of HSV turned back into red, green, blue.
  (func $channel (param $value v128) (param $chroma v128) (param $a v128) (param $s v128) (result v128)
    (local $k v128) (local $six v128)
    (local.set $six (f32x4.splat (f32.const 6)))
    (local.set $k (f32x4.add (local.get $a) (local.get $s)))
    (local.set $k (f32x4.sub (local.get $k) (v128.and (f32x4.ge (local.get $k) (local.get $six)) (local.get $six))))
    (f32x4.sub (local.get $value) (f32x4.mul (local.get $chroma)
      (f32x4.pmax (v128.const f32x4 0 0 0 0) (f32x4.pmin (f32x4.splat (f32.const 1))
        (f32x4.pmin (local.get $k) (f32x4.sub (f32x4.splat (f32.const 4)) (local.get $k))))))))

  ;; Color pixels: turns the hue by `sixths` of a circle; four pixels a step.
  (func (export "turnHue") (param $p i32) (param $end i32) (param $sixths f64)
    (local $v0 v128) (local $v1 v128) (local $v2 v128) (local $red v128) (local $green v128) (local $blue v128)
    (local $value v128) (local $chroma v128) (local $a v128) (local $isRed v128) (local $isGreen v128)
    (local $c1 v128) (local $c3 v128) (local $c5 v128)
    (local.set $c1 (call $mod6 (f64.add (f64.const 1) (local.get $sixths))))
    (local.set $c3 (call $mod6 (f64.add (f64.const 3) (local.get $sixths))))
    (local.set $c5 (call $mod6 (f64.add (f64.const 5) (local.get $sixths))))
    (loop $step
      (local.set $v0 (v128.load (local.get $p)))
      (local.set $v1 (v128.load offset=16 (local.get $p)))
      (local.set $v2 (v128.load offset=32 (local.get $p)))
      (local.set $red (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 20 21 22 23
        (i8x16.shuffle 0 1 2 3 12 13 14 15 24 25 26 27 0 1 2 3 (local.get $v0) (local.get $v1)) (local.get $v2)))
      (local.set $green (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 24 25 26 27
        (i8x16.shuffle 4 5 6 7 16 17 18 19 28 29 30 31 0 1 2 3 (local.get $v0) (local.get $v1)) (local.get $v2)))
      (local.set $blue (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 28 29 30 31
        (i8x16.shuffle 8 9 10 11 20 21 22 23 0 1 2 3 0 1 2 3 (local.get $v0) (local.get $v1)) (local.get $v2)))
      (local.set $value (f32x4.max (local.get $red) (f32x4.max (local.get $green) (local.get $blue)))) ;; NaN of any
      (local.set $chroma (f32x4.sub (local.get $value)
        (f32x4.pmin (local.get $red) (f32x4.pmin (local.get $green) (local.get $blue)))))
      ;; red before green before blue, as torchvision does it
      (local.set $isRed (f32x4.eq (local.get $value) (local.get $red)))
      (local.set $isGreen (v128.andnot (f32x4.eq (local.get $value) (local.get $green)) (local.get $isRed)))
      (local.set $a (f32x4.div
        (v128.bitselect (f32x4.sub (local.get $green) (local.get $blue))
          (v128.bitselect (f32x4.sub (local.get $blue) (local.get $red)) (f32x4.sub (local.get $red) (local.get $green))
            (local.get $isGreen)) (local.get $isRed))
        (local.get $chroma)))
      (local.set $a (v128.and (local.get $a) (f32x4.gt (local.get $chroma) (v128.const f32x4 0 0 0 0)))) ;; grey: 0 / 0
      (local.set $red (call $channel (local.get $value) (local.get $chroma) (local.get $a)
        (v128.bitselect (local.get $c5) (v128.bitselect (local.get $c1) (local.get $c3) (local.get $isGreen)) (local.get $isRed))))
      (local.set $green (call $channel (local.get $value) (local.get $chroma) (local.get $a)
        (v128.bitselect (local.get $c3) (v128.bitselect (local.get $c5) (local.get $c1) (local.get $isGreen)) (local.get $isRed))))
      (local.set $blue (call $channel (local.get $value) (local.get $chroma) (local.get $a)
        (v128.bitselect (local.get $c1) (v128.bitselect (local.get $c3) (local.get $c5) (local.get $isGreen)) (local.get $isRed))))
      ;; r0 g0 b0 r1 · g1 b1 r2 g2 · b2 r3 g3 b3
      (local.set $v0 (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23 (local.get $red) (local.get $green))) ;; r0 g0 r1 g1
      (local.set $v1 (i8x16.shuffle 8 9 10 11 24 25 26 27 12 13 14 15 28 29 30 31 (local.get $red) (local.get $green))) ;; r2 g2 r3 g3
      (v128.store (local.get $p)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 8 9 10 11 (local.get $v0) (local.get $blue)))
      (v128.store offset=16 (local.get $p)
        (i8x16.shuffle 12 13 14 15 20 21 22 23 16 17 18 19 16 17 18 19 (local.get $v0) (local.get $blue)))
      (v128.store64_lane offset=24 0 (local.get $p) (local.get $v1))
      (v128.store offset=32 (local.get $p)
        (i8x16.shuffle 24 25 26 27 8 9 10 11 12 13 14 15 28 29 30 31 (local.get $v1) (local.get $blue)))
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
        (then (local.set $n (f32x4.mul (local.get $n) (f32x4.sqrt (f32x4.pmax (local.get $x) (local.get $zero)))))))
      (v128.store (local.get $p)
        (f32x4.pmin (f32x4.pmax (f32x4.add (local.get $x) (local.get $n)) (local.get $zero)) (local.get $one)))
      (br_if $step (i32.lt_u (local.tee $p (i32.add (local.get $p) (i32.const 16))) (local.get $end))))))
