;; The loops of the optimisers, four numbers at a time. Plain TypeScript needs 26-55 ms for the 5.5 million parameters of
;; ViT-Tiny, this 5 ms; ONNX Runtime reads and writes the same memory, so nothing is copied.
;; All pointers are bytes, all counts are numbers and multiples of 4; the caller does the last one to three.
;; `deno task wasm` assembles this text into _optimizer_kernels.ts.
(module
  (import "env" "memory" (memory 0))

  ;; AdamW (Loshchilov & Hutter 2019, algorithm 2, in PyTorch's order):
  ;;   m = b1 m + (1 - b1) g ; v = b2 v + (1 - b2) g g ; w = keep w - rate m / (sqrt(v) root + epsilon)
  ;; with keep = 1 - lr decay, rate = lr / (1 - b1^t), root = 1 / sqrt(1 - b2^t)
  (func (export "adamw")
    (param $w i32) (param $g i32) (param $m i32) (param $v i32) (param $count i32)
    (param $keep f32) (param $rate f32) (param $root f32) (param $b1 f32) (param $b2 f32) (param $epsilon f32)
    (local $end i32) (local $x v128) (local $first v128) (local $second v128)
    (local $a1 v128) (local $a2 v128)
    (local.set $a1 (f32x4.splat (f32.sub (f32.const 1) (local.get $b1))))
    (local.set $a2 (f32x4.splat (f32.sub (f32.const 1) (local.get $b2))))
    (local.set $end (i32.add (local.get $w) (i32.shl (local.get $count) (i32.const 2))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $w) (local.get $end)))
      (local.set $x (v128.load (local.get $g)))
      (local.set $first (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $b1)) (v128.load (local.get $m)))
        (f32x4.mul (local.get $a1) (local.get $x))))
      (local.set $second (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $b2)) (v128.load (local.get $v)))
        (f32x4.mul (f32x4.mul (local.get $a2) (local.get $x)) (local.get $x))))
      (v128.store (local.get $m) (local.get $first))
      (v128.store (local.get $v) (local.get $second))
      (v128.store (local.get $w) (f32x4.sub
        (f32x4.mul (f32x4.splat (local.get $keep)) (v128.load (local.get $w)))
        (f32x4.div
          (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $first))
          (f32x4.add
            (f32x4.mul (f32x4.sqrt (local.get $second)) (f32x4.splat (local.get $root)))
            (f32x4.splat (local.get $epsilon))))))
      (local.set $w (i32.add (local.get $w) (i32.const 16)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (local.set $m (i32.add (local.get $m) (i32.const 16)))
      (local.set $v (i32.add (local.get $v) (i32.const 16)))
      (br $next))))

  ;; SGD with momentum, in PyTorch's order: g' = g + decay w ; m = momentum m + g' ; w = w - rate m
  (func (export "sgd")
    (param $w i32) (param $g i32) (param $m i32) (param $count i32)
    (param $rate f32) (param $momentum f32) (param $decay f32)
    (local $end i32) (local $x v128)
    (local.set $end (i32.add (local.get $w) (i32.shl (local.get $count) (i32.const 2))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $w) (local.get $end)))
      (local.set $x (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $momentum)) (v128.load (local.get $m)))
        (f32x4.add (v128.load (local.get $g))
          (f32x4.mul (f32x4.splat (local.get $decay)) (v128.load (local.get $w))))))
      (v128.store (local.get $m) (local.get $x))
      (v128.store (local.get $w) (f32x4.sub (v128.load (local.get $w))
        (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $x))))
      (local.set $w (i32.add (local.get $w) (i32.const 16)))
      (local.set $g (i32.add (local.get $g) (i32.const 16)))
      (local.set $m (i32.add (local.get $m) (i32.const 16)))
      (br $next))))

  ;; y = a y + b x : accumulation (1, 1), scaling (a, 0), moving average (1 - t, t)
  (func (export "blend")
    (param $y i32) (param $x i32) (param $count i32) (param $a f32) (param $b f32)
    (local $end i32)
    (local.set $end (i32.add (local.get $y) (i32.shl (local.get $count) (i32.const 2))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $y) (local.get $end)))
      (v128.store (local.get $y) (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $a)) (v128.load (local.get $y)))
        (f32x4.mul (f32x4.splat (local.get $b)) (v128.load (local.get $x)))))
      (local.set $y (i32.add (local.get $y) (i32.const 16)))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (br $next))))

  ;; the sum of squares, in doubles
  (func (export "squares") (param $x i32) (param $count i32) (result f64)
    (local $end i32) (local $four v128) (local $low v128) (local $high v128) (local $sum v128)
    (local.set $end (i32.add (local.get $x) (i32.shl (local.get $count) (i32.const 2))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $x) (local.get $end)))
      (local.set $four (v128.load (local.get $x)))
      (local.set $low (f64x2.promote_low_f32x4 (local.get $four)))
      (local.set $high (f64x2.promote_low_f32x4
        (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $four) (local.get $four))))
      (local.set $sum (f64x2.add (local.get $sum) (f64x2.add
        (f64x2.mul (local.get $low) (local.get $low))
        (f64x2.mul (local.get $high) (local.get $high)))))
      (local.set $x (i32.add (local.get $x) (i32.const 16)))
      (br $next)))
    (f64.add (f64x2.extract_lane 0 (local.get $sum)) (f64x2.extract_lane 1 (local.get $sum)))))
