;; Stored bytes → pixels, 16 bytes at a time. Addresses and lengths are bytes unless said otherwise.
;; `deno task wasm` assembles this file into _pixel_kernel_bytes.ts.
(module
  (memory (export "memory") 1)

  ;; PNG's filter Up undone: row[k] += above[k] modulo 256, for exactly `length` bytes.
  (func (export "undoUp") (param $row i32) (param $above i32) (param $length i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $row) (i32.and (local.get $length) (i32.const -16))))
    (block $whole (loop $step
      (br_if $whole (i32.ge_u (local.get $row) (local.get $end)))
      (v128.store (local.get $row) (i8x16.add (v128.load (local.get $row)) (v128.load (local.get $above))))
      (local.set $row (i32.add (local.get $row) (i32.const 16)))
      (local.set $above (i32.add (local.get $above) (i32.const 16)))
      (br $step)))
    (local.set $end (i32.add (local.get $end) (i32.and (local.get $length) (i32.const 15))))
    (block $done (loop $byte
      (br_if $done (i32.ge_u (local.get $row) (local.get $end)))
      (i32.store8 (local.get $row) (i32.add (i32.load8_u (local.get $row)) (i32.load8_u (local.get $above))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (local.set $above (i32.add (local.get $above) (i32.const 1)))
      (br $byte))))

  ;; PNG's filter Sub undone for pixels of two bytes: row[k] += row[k - 2] modulo 256, from k = 2, for exactly `length` bytes.
  ;; Within 16 bytes the sums double their reach three times; the last pixel is carried on.
  (func (export "undoSub2") (param $row i32) (param $length i32)
    (local $end i32) (local $v v128) (local $carry v128) (local $zero v128)
    (local.set $end (i32.add (local.get $row) (i32.and (local.get $length) (i32.const -16))))
    (block $whole (loop $step
      (br_if $whole (i32.ge_u (local.get $row) (local.get $end)))
      (local.set $v (v128.load (local.get $row)))
      (local.set $v (i8x16.add (local.get $v)
        (i8x16.shuffle 0 1 16 17 18 19 20 21 22 23 24 25 26 27 28 29 (local.get $zero) (local.get $v))))
      (local.set $v (i8x16.add (local.get $v)
        (i8x16.shuffle 0 1 2 3 16 17 18 19 20 21 22 23 24 25 26 27 (local.get $zero) (local.get $v))))
      (local.set $v (i8x16.add (local.get $v)
        (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $zero) (local.get $v))))
      (local.set $v (i8x16.add (local.get $v) (local.get $carry)))
      (local.set $carry (i8x16.shuffle 14 15 14 15 14 15 14 15 14 15 14 15 14 15 14 15 (local.get $v) (local.get $v)))
      (v128.store (local.get $row) (local.get $v))
      (local.set $row (i32.add (local.get $row) (i32.const 16)))
      (br $step)))
    (if (i32.lt_u (local.get $length) (i32.const 16)) ;; the first pixel stands as it is
      (then (local.set $row (i32.add (local.get $row) (i32.const 2)))
        (local.set $end (i32.add (local.get $end) (local.get $length))))
      (else (local.set $end (i32.add (local.get $end) (i32.and (local.get $length) (i32.const 15))))))
    (block $done (loop $byte
      (br_if $done (i32.ge_u (local.get $row) (local.get $end)))
      (i32.store8 (local.get $row)
        (i32.add (i32.load8_u (local.get $row)) (i32.load8_u (i32.sub (local.get $row) (i32.const 2)))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br $byte))))

  ;; Rows of big-endian 16-bit numbers, `stride` bytes apart, → one after the other, little-endian.
  ;; Up to 14 bytes behind the result are written, and read behind the last row.
  (func (export "swapRows") (param $rows i32) (param $stride i32) (param $out i32) (param $length i32) (param $count i32)
    (local $from i32) (local $to i32) (local $end i32) (local $v v128)
    (loop $row
      (local.set $from (local.get $rows))
      (local.set $to (local.get $out))
      (local.set $end (i32.add (local.get $out) (local.get $length)))
      (loop $step
        (local.set $v (v128.load (local.get $from)))
        (v128.store (local.get $to)
          (i8x16.shuffle 1 0 3 2 5 4 7 6 9 8 11 10 13 12 15 14 (local.get $v) (local.get $v)))
        (local.set $from (i32.add (local.get $from) (i32.const 16)))
        (br_if $step
          (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 16))) (local.get $end))))
      (local.set $rows (i32.add (local.get $rows) (local.get $stride)))
      (local.set $out (local.get $end))
      (br_if $row (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; float32 = uint16 / white, for `count` numbers; up to 7 more are read and written.
  (func (export "divide") (param $from i32) (param $to i32) (param $count i32) (param $white f32)
    (local $end i32) (local $v v128) (local $w v128)
    (local.set $w (f32x4.splat (local.get $white)))
    (local.set $end (i32.add (local.get $from) (i32.shl (local.get $count) (i32.const 1))))
    (loop $step
      (local.set $v (v128.load (local.get $from)))
      (v128.store (local.get $to)
        (f32x4.div (f32x4.convert_i32x4_u (i32x4.extend_low_i16x8_u (local.get $v))) (local.get $w)))
      (v128.store offset=16 (local.get $to)
        (f32x4.div (f32x4.convert_i32x4_u (i32x4.extend_high_i16x8_u (local.get $v))) (local.get $w)))
      (local.set $to (i32.add (local.get $to) (i32.const 32)))
      (br_if $step
        (i32.lt_u (local.tee $from (i32.add (local.get $from) (i32.const 16))) (local.get $end))))))
