import { cut, jpegSegments } from "./code_stream.ts";
import { copyAgain, refuse } from "./refuse.ts";

/**
 * Decodes one grey JPEG-LS stream, lossless or near-lossless (ITU-T T.87 annexes A and C; letters and figures as there).
 *
 * Written here because CharLS, given a cut stream, keeps a core busy for half a minute before it gives up; this decoder
 * counts its bits and stops at the row where they end.
 *
 * @param sizes as the header promises; the stream was compared with them before
 * @throws MammolabError when the stream ends before the last pixel, or uses a form that medical images do not
 */
export function decodeJpegLs(
  stream: Uint8Array,
  { rows, columns, bytesPerCell }: { readonly rows: number; readonly columns: number; readonly bytesPerCell: 1 | 2 },
): Uint8Array | Uint16Array {
  const { at, ...coding } = readScan(stream);
  // A row of zeros follows the data, each sample at most LIMIT + qbpp bits, so that the end is looked for once a row.
  const bits = bitReader(stream, at, columns * 10 + 16);
  const out = bytesPerCell === 1 ? new Uint8Array(rows * columns) : new Uint16Array(rows * columns);
  const state = initialState(coding);
  let above = new Int32Array(columns + 2);
  let line = new Int32Array(columns + 2);
  for (let row = 0; row < rows; row++) {
    above[columns + 1] = above[columns] as number; // Rd of the last column
    line[0] = above[1] as number; // Ra of the first column (T.87 section A.2.1)
    decodeLine(bits, state, coding, above, line);
    if (bits.at * 8 - bits.held > bits.end) refuse(cut);
    out.set(line.subarray(1, columns + 1), row * columns);
    [above, line] = [line, above];
  }
  return out;
}

type Coding = {
  readonly near: number;
  readonly maxValue: number;
  readonly thresholds: readonly [number, number, number];
  readonly reset: number;
};

function readScan(stream: Uint8Array): Coding & { readonly at: number } {
  const u16 = (at: number) => ((stream[at] ?? 0) << 8) | (stream[at + 1] ?? 0);
  let precision = 0;
  let preset = [0, 0, 0, 0, 0];
  for (const { marker, at, end } of jpegSegments(stream)) {
    if (marker === 0xf7) precision = stream[at] as number;
    if (marker === 0xdd && u16(at) !== 0) refuse("its JPEG-LS stream has restart markers; export it anew");
    if (marker === 0xf8) {
      if (stream[at] !== 1) refuse("its JPEG-LS stream maps its values by a table; export it as a grey image");
      preset = [1, 3, 5, 7, 9].map((offset) => u16(at + offset));
    }
    if (marker !== 0xda) continue;
    const [components, , table, near, , shift] = stream.subarray(at, at + 6);
    if (components !== 1 || table !== 0 || shift !== 0 || precision < 2 || precision > 16) {
      refuse("its JPEG-LS stream is not a plain grey image; export it again as one");
    }
    const maxValue = preset[0] || (1 << precision) - 1;
    if (near === undefined || near > Math.min(255, maxValue >> 1)) {
      refuse(`its JPEG-LS stream is damaged; ${copyAgain}`);
    }
    const [t1, t2, t3] = defaultThresholds(maxValue, near);
    const thresholds = [preset[1] || t1, preset[2] || t2, preset[3] || t3] as const;
    return { near, maxValue, thresholds, reset: preset[4] || 64, at: end };
  }
  return refuse(cut);
}

/** T.87 section C.2.4.1.1. */
function defaultThresholds(maxValue: number, near: number): readonly [number, number, number] {
  const clamp = (value: number, low: number) => value > maxValue || value < low ? low : value;
  const wide = maxValue >= 128;
  const factor = Math.floor(wide ? (Math.min(maxValue, 4095) + 128) / 256 : 256 / (maxValue + 1));
  const basic = (base: number, least: number, slack: number) =>
    wide ? factor * (base - least) + least + slack * near : Math.max(least, Math.floor(base / factor) + slack * near);
  const t1 = clamp(basic(3, 2, 3), near + 1);
  const t2 = clamp(basic(7, 3, 5), t1);
  return [t1, t2, clamp(basic(21, 4, 7), t2)];
}

/** What the coder has learned so far: 365 contexts of gradients, and two (365, 366) for ends of runs. */
type State = {
  readonly A: Int32Array;
  readonly B: Int32Array;
  readonly C: Int32Array;
  readonly N: Int32Array;
  /** Gradient + maxValue → region −4 to 4 (T.87 figure A.3). */
  readonly regions: Int8Array;
  readonly range: number;
  readonly qbpp: number;
  readonly limit: number;
  runIndex: number;
};

function initialState({ near, maxValue, thresholds: [t1, t2, t3] }: Coding): State {
  const range = Math.floor((maxValue + 2 * near) / (2 * near + 1)) + 1;
  const bitsOf = (values: number) => Math.ceil(Math.log2(values));
  const bpp = Math.max(2, bitsOf(maxValue + 1));
  const regions = new Int8Array(2 * maxValue + 1);
  for (let i = 0; i < regions.length; i++) {
    const gradient = Math.abs(i - maxValue);
    const region = gradient <= near ? 0 : gradient < t1 ? 1 : gradient < t2 ? 2 : gradient < t3 ? 3 : 4;
    regions[i] = i < maxValue ? -region : region;
  }
  return {
    A: new Int32Array(367).fill(Math.max(2, (range + 32) >> 6)),
    B: new Int32Array(367), // for 365 and 366: Nn, how many errors were negative
    C: new Int32Array(365),
    N: new Int32Array(367).fill(1),
    regions,
    range,
    qbpp: bitsOf(range),
    limit: 2 * (bpp + Math.max(8, bpp)),
    runIndex: 0,
  };
}

/**
 * One row of samples. The whole cost of reading such a film is this loop, so the bits are kept in local variables and the
 * usual Golomb code is read in place; what is rare (runs, codes longer than the bits at hand) goes through `bits`.
 */
function decodeLine(bits: Bits, state: State, coding: Coding, above: Int32Array, line: Int32Array): void {
  const { A, B, C, N, regions, range, qbpp, limit } = state;
  const { near, maxValue, reset } = coding;
  const { bytes } = bits;
  const step = 2 * near + 1;
  const wrap = range * step;
  const escape = limit - qbpp - 1;
  const end = line.length - 1;
  let { at, buffer, held } = bits;
  let Ra = line[0] as number;
  let Rc = above[0] as number;
  let Rb = above[1] as number;
  for (let i = 1; i < end;) {
    const Rd = above[i + 1] as number;
    const context = ((regions[Rd - Rb + maxValue] as number) * 9 + (regions[Rb - Rc + maxValue] as number)) * 9 +
      (regions[Rc - Ra + maxValue] as number);
    if (context === 0) {
      bits.at = at;
      bits.buffer = buffer;
      bits.held = held;
      i = decodeRun(bits, state, coding, above, line, i);
      ({ at, buffer, held } = bits);
      Ra = line[i - 1] as number;
      Rc = above[i - 1] as number;
      Rb = above[i] as number;
      continue;
    }
    const sign = context >> 31; // 0 or -1; (v ^ sign) - sign is v or -v, without a branch that guesses wrong half the time
    const Q = (context ^ sign) - sign;
    const n = N[Q] as number;
    let a = A[Q] as number;
    let b = B[Q] as number;
    let c = C[Q] as number;

    // Prediction: the median of Ra, Rb and Ra + Rb - Rc, corrected by what this context learned (figures A.5, A.6).
    const rise = Ra - Rb;
    const fall = rise & (rise >> 31);
    const low = Rb + fall;
    const high = Ra - fall;
    let x = Ra + Rb - Rc;
    x = x < low ? low : x > high ? high : x;
    x += (c ^ sign) - sign;
    x = x < 0 ? 0 : x > maxValue ? maxValue : x;

    // The error in Golomb code (sections A.5.1 to A.5.3): k is the least with n 2^k >= a.
    let k = Math.clz32(n) - Math.clz32(a);
    if (k < 0) k = 0;
    else if ((n << k) < a) k++;
    if (held < 16) {
      buffer = (buffer << 16) | ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
      at += 2;
      held += 16;
    }
    const zeros = Math.clz32(buffer << (32 - held));
    let mapped: number;
    if (zeros + 1 + k <= held && zeros < escape) {
      held -= zeros + 1 + k;
      mapped = (zeros << k) | ((buffer >>> held) & ((1 << k) - 1));
    } else {
      bits.at = at;
      bits.buffer = buffer;
      bits.held = held;
      mapped = golomb(bits, k, escape, qbpp);
      ({ at, buffer, held } = bits);
    }
    let error = (mapped >> 1) ^ -(mapped & 1);
    if (k === 0 && near === 0 && 2 * b <= -n) error = ~error;

    // What the context learns (figures A.12, A.13).
    a += (error ^ (error >> 31)) - (error >> 31);
    b += error * step;
    let count = n;
    if (count === reset) {
      a >>= 1;
      b >>= 1;
      count >>= 1;
    }
    count++;
    if (b <= -count) {
      b += count;
      if (c > -128) c--;
      if (b <= -count) b = -count + 1;
    } else if (b > 0) {
      b -= count;
      if (c < 127) c++;
      if (b > 0) b = 0;
    }
    A[Q] = a;
    B[Q] = b;
    C[Q] = c;
    N[Q] = count;

    x += ((error ^ sign) - sign) * step;
    if (x < -near) x += wrap;
    else if (x > maxValue + near) x -= wrap;
    x = x < 0 ? 0 : x > maxValue ? maxValue : x;
    line[i++] = x;
    Ra = x;
    Rc = Rb;
    Rb = Rd;
  }
  bits.at = at;
  bits.buffer = buffer;
  bits.held = held;
}

/** A run of equal samples and the sample that ends it (section A.7); returns the index after them. */
function decodeRun(
  bits: Bits,
  state: State,
  coding: Coding,
  above: Int32Array,
  line: Int32Array,
  from: number,
): number {
  const end = line.length - 1;
  const Ra = line[from - 1] as number;
  let i = from;
  while (readBits(bits, 1) === 1) {
    const run = 1 << (runLengths[state.runIndex] as number);
    const stop = Math.min(i + run, end);
    if (i + run <= end && state.runIndex < 31) state.runIndex++;
    line.fill(Ra, i, stop);
    i = stop;
    if (i === end) return i;
  }
  const rest = i + readBits(bits, runLengths[state.runIndex] as number);
  if (rest >= end) refuse(`a run of its JPEG-LS stream leaves the row; ${copyAgain}`);
  line.fill(Ra, i, rest);
  line[rest] = endOfRun(bits, state, coding, Ra, above[rest] as number);
  if (state.runIndex > 0) state.runIndex--;
  return rest + 1;
}

function endOfRun(bits: Bits, state: State, { near, maxValue, reset }: Coding, Ra: number, Rb: number): number {
  const { A, B, N, range, qbpp, limit, runIndex } = state;
  const type = Math.abs(Ra - Rb) <= near ? 1 : 0; // RItype
  const Q = 365 + type;
  const n = N[Q] as number;
  const target = (A[Q] as number) + (type === 1 ? n >> 1 : 0);
  let k = 0;
  while ((n << k) < target) k++;
  const mapped = golomb(bits, k, limit - (runLengths[runIndex] as number) - 1 - qbpp - 1, qbpp);
  const odd = (mapped + type) & 1;
  const size = (mapped + type + odd) >> 1;
  const error = (k !== 0 || 2 * (B[Q] as number) >= n) === (odd === 1) ? -size : size;

  if (error < 0) B[Q] = (B[Q] as number) + 1;
  A[Q] = (A[Q] as number) + ((mapped + 1 - type) >> 1);
  if (n === reset) {
    A[Q] = (A[Q] as number) >> 1;
    B[Q] = (B[Q] as number) >> 1;
    N[Q] = n >> 1;
  }
  N[Q] = (N[Q] as number) + 1;

  const step = 2 * near + 1;
  let x = type === 1 ? Ra + error * step : Rb + (Ra > Rb ? -error : error) * step;
  if (x < -near) x += range * step;
  else if (x > maxValue + near) x -= range * step;
  return x < 0 ? 0 : x > maxValue ? maxValue : x;
}

/** J of section A.2.1: run segments have 2^J samples. */
const runLengths = Uint8Array.of(
  ...[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3],
  ...[4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15],
);

/** The bits of a scan; the low `held` bits of `buffer` are the next ones. */
type Bits = { readonly bytes: Uint8Array; readonly end: number; at: number; buffer: number; held: number };

/**
 * Takes the stuffing out: the byte after FF has seven bits (section A.1), above which a marker begins.
 *
 * @returns the reader; `end` counts the bits of the data
 */
function bitReader(stream: Uint8Array, from: number, padding: number): Bits {
  const bytes = new Uint8Array(stream.length - from + padding);
  let filled = 0;
  let part = 0; // bits of the byte that is not full yet
  let free = 8;
  for (let at = from; at < stream.length; at++) {
    const byte = stream[at] as number;
    if (byte === 0xff && (stream[at + 1] ?? 0xff) > 0x7f) break; // a marker, whose first byte is no data
    if (at > from && stream[at - 1] === 0xff) {
      part = (part << 7) | byte;
      free -= 7;
      if (free <= 0) {
        bytes[filled++] = part >> -free;
        free += 8;
      }
    } else {
      part = (part << 8) | byte;
      bytes[filled++] = part >> (8 - free);
    }
    part &= 0xff;
  }
  bytes[filled] = part << free;
  return { bytes, end: filled * 8 + 8 - free, at: 0, buffer: 0, held: 0 };
}

function refill(bits: Bits): void {
  const { bytes, at } = bits;
  bits.buffer = (bits.buffer << 16) | ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  bits.at = at + 2;
  bits.held += 16;
}

/** The next `count` bits, at most 16. */
function readBits(bits: Bits, count: number): number {
  if (bits.held < count) refill(bits);
  bits.held -= count;
  return (bits.buffer >>> bits.held) & ((1 << count) - 1);
}

/** A number in limited-length Golomb code (sections A.5.3 and A.7.2.2): zeros up to a one, then k bits. */
function golomb(bits: Bits, k: number, escape: number, qbpp: number): number {
  if (bits.held < 16) refill(bits);
  let zeros = Math.clz32(bits.buffer << (32 - bits.held));
  if (zeros >= bits.held) { // no one among the bits at hand
    zeros = bits.held;
    bits.held = 0;
    while (readBits(bits, 1) === 0) if (++zeros > 80) refuse(cut);
  } else bits.held -= zeros + 1;
  if (zeros < escape) return (zeros << k) | readBits(bits, k);
  return readBits(bits, qbpp) + 1;
}
