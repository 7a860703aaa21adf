import { before, describe, it } from "@std/testing/bdd";
import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "../_fast_check.ts";
import { MammolabError } from "mammolab/base";
import codecs from "dcmjs-codecs";
import { streamHeaderOf } from "../../lib/io/dicom/code_stream.ts";
import { decodeJpegLossless } from "../../lib/io/dicom/jpeg_lossless.ts";
import { decodeJpegLs } from "../../lib/io/dicom/jpeg_ls.ts";
import { checkJpegScan } from "../../lib/io/dicom/jpeg_scan.ts";
import { decodeRle } from "../../lib/io/dicom/rle.ts";
import { join } from "./_dicom_file.ts";

// The oracle of this file: dcmjs-codecs encodes (libjpeg, CharLS, PackBits), we decode, and what went in must come out.
const { NativeCodecs, Context } = codecs;
type Native = typeof NativeCodecs;
type CodecContext = InstanceType<typeof Context>;

type Film = {
  readonly rows: number;
  readonly columns: number;
  readonly cells: Uint8Array | Uint16Array;
  readonly bits: number;
};
const sizesOf = ({ rows, columns, cells }: Film) =>
  ({ rows, columns, bytesPerCell: cells instanceof Uint16Array ? 2 : 1 }) as const;

function encoded(
  { rows, columns, cells, bits }: Film,
  encode: (native: Native, context: CodecContext) => CodecContext,
) {
  const context = new Context({
    width: columns,
    height: rows,
    bitsAllocated: 8 * cells.BYTES_PER_ELEMENT,
    bitsStored: bits,
    samplesPerPixel: 1,
    pixelRepresentation: 0,
    planarConfiguration: 0,
    photometricInterpretation: "MONOCHROME2",
    decodedBuffer: new Uint8Array(cells.buffer.slice(0)),
  });
  return (encode(NativeCodecs, context).getEncodedBuffer() as Uint8Array).slice();
}

/** Films of all depths: flat, ramps, and noise, so that runs and long codes both occur. */
const films = (depths: readonly number[]): fc.Arbitrary<Film> =>
  fc.record({
    rows: fc.integer({ min: 1, max: 20 }),
    columns: fc.integer({ min: 1, max: 20 }),
    bits: fc.constantFrom(...depths),
    seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    noise: fc.constantFrom(0, 1, 7, 100, 65535),
    slope: fc.constantFrom(0, 1, 40),
  }).map(({ rows, columns, bits, seed, noise, slope }) => {
    const top = 2 ** bits - 1;
    let state = seed;
    const draw = () => (state = Math.imul(state, 1103515245) + 12345 >>> 0) / 2 ** 32;
    const values = Array.from({ length: rows * columns }, (_, i) => {
      const value = 3 + slope * (i % columns) + Math.floor(draw() * (noise + 1));
      return draw() < 0.02 ? top : value % (top + 1);
    });
    return { rows, columns, bits, cells: bits <= 8 ? Uint8Array.from(values) : Uint16Array.from(values) };
  });

/** A cut at any place must end in a sentence; the very last bytes may be padding, and then all pixels must be right. */
function isNeverInvented(
  stream: Uint8Array,
  film: Film,
  decode: (stream: Uint8Array) => ArrayLike<number>,
  tails: readonly (readonly number[])[] = [[], [0xff, 0xd9]], // nothing, or an end marker
): void {
  const places = Array.from({ length: 64 }, (_, i) => Math.floor((stream.length * i) / 64));
  for (const place of [...places, stream.length - 3, stream.length - 2, stream.length - 1]) {
    for (const tail of tails) {
      const cut = join([stream.subarray(0, Math.max(0, place)), Uint8Array.from(tail)]);
      try {
        assertEquals([...Array.from(decode(cut))], [...film.cells], `cut at ${place} of ${stream.length}`);
      } catch (error) {
        if (!(error instanceof MammolabError)) throw error;
      }
    }
  }
}

before(() => NativeCodecs.initializeAsync());

describe("decodeJpegLossless()", () => {
  it("gives back what libjpeg coded, with each predictor and depth", () => {
    fc.assert(
      fc.property(films([8, 12, 16]), fc.integer({ min: 1, max: 7 }), (film, predictor) => {
        const stream = encoded(film, (native, context) => native.encodeJpeg(context, { lossy: false, predictor }));
        assertEquals(streamHeaderOf(stream)?.kind, "jpeg lossless");
        assertEquals([...decodeJpegLossless(stream, sizesOf(film))], [...film.cells]);
      }),
      { numRuns: 200 },
    );
  });

  it("invents no pixel of a cut stream, with or without an end marker put after the cut", () => {
    fc.assert(
      fc.property(films([12]), (film) => {
        const stream = encoded(film, (native, context) => native.encodeJpeg(context, { lossy: false, predictor: 1 }));
        isNeverInvented(stream, film, (cut) => decodeJpegLossless(cut, sizesOf(film)));
      }),
      { numRuns: 10 },
    );
  });

  it("starts anew after each restart marker", () => {
    // Coded by hand (ITU-T T.81 annex H): one table, 0 → difference 0, 10 → size 1, 110 → size 2; 4 bits, 2 columns.
    const head = [
      ...[0xff, 0xd8, 0xff, 0xc3, 0, 11, 4, 0, 2, 0, 2, 1, 1, 0x11, 0],
      ...[0xff, 0xc4, 0, 22, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2],
      ...[0xff, 0xdd, 0, 4, 0, 2, 0xff, 0xda, 0, 8, 1, 1, 0, 1, 0, 0],
    ];
    // Each row starts at 8 = 2^(4-1): row 1 is 8 + 0 and + 1, row 2 is 8 − 1 and + 3.
    const rows = [[0b0101_1111], [0xff, 0xd0], [0b1001_1011, 0b1111_1111, 0], [0xff, 0xd9]];
    const stream = Uint8Array.from([...head, ...rows.flat()]);
    assertEquals([...decodeJpegLossless(stream, { rows: 2, columns: 2, bytesPerCell: 1 })], [8, 9, 7, 10]);
    const without = Uint8Array.from([...head, ...(rows[0] as number[]), 0xff, 0xd9]);
    assertThrows(() => decodeJpegLossless(without, { rows: 2, columns: 2, bytesPerCell: 1 }), MammolabError, "cut");
  });
});

describe("decodeJpegLs()", () => {
  it("gives back what CharLS coded, at each depth", () => {
    fc.assert(
      fc.property(films([2, 7, 8, 10, 12, 16]), (film) => {
        const stream = encoded(film, (native, context) => native.encodeJpegLs(context, { lossy: false }));
        assertEquals([...decodeJpegLs(stream, sizesOf(film))], [...film.cells]);
      }),
      { numRuns: 300 },
    );
  });

  it("agrees with CharLS on near-lossless films, which both decode exactly", () => {
    fc.assert(
      fc.property(films([8, 12, 16]), fc.integer({ min: 1, max: 20 }), (film, allowedLossyError) => {
        const stream = encoded(
          film,
          (native, context) => native.encodeJpegLs(context, { lossy: true, allowedLossyError }),
        );
        const { rows, columns, bits, cells } = film;
        const context = new Context({
          width: columns,
          height: rows,
          bitsAllocated: 8 * cells.BYTES_PER_ELEMENT,
          bitsStored: bits,
          samplesPerPixel: 1,
          pixelRepresentation: 0,
          planarConfiguration: 0,
          photometricInterpretation: "MONOCHROME2",
          encodedBuffer: stream,
        });
        const theirs = (NativeCodecs.decodeJpegLs(context).getDecodedBuffer() as Uint8Array).slice();
        const ours = decodeJpegLs(stream, sizesOf(film));
        assertEquals([...new Uint8Array(ours.buffer)], [...theirs]);
        for (let i = 0; i < cells.length; i++) {
          assert(Math.abs((ours[i] as number) - (cells[i] as number)) <= allowedLossyError);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("invents no pixel of a cut stream, and sees the cut at once", () => {
    fc.assert(
      fc.property(films([12]), (film) => {
        const stream = encoded(film, (native, context) => native.encodeJpegLs(context, { lossy: false }));
        isNeverInvented(stream, film, (cut) => decodeJpegLs(cut, sizesOf(film)));
      }),
      { numRuns: 10 },
    );
  });
});

describe("decodeRle()", () => {
  it("gives back what PackBits coded", () => {
    fc.assert(
      fc.property(films([8, 12, 16]), (film) => {
        const stream = encoded(film, (native, context) => native.encodeRle(context));
        const { bytesPerCell } = sizesOf(film);
        assertEquals([...decodeRle(stream, { pixels: film.cells.length, bytesPerCell })], [...film.cells]);
      }),
      { numRuns: 200 },
    );
  });

  it("invents no pixel of a cut stream", () => {
    fc.assert(
      fc.property(films([12]), (film) => {
        const stream = encoded(film, (native, context) => native.encodeRle(context));
        const decode = (cut: Uint8Array) => decodeRle(cut, { pixels: film.cells.length, bytesPerCell: 2 });
        isNeverInvented(stream, film, decode, [[]]); // any byte put after it is data: RLE has no markers
      }),
      { numRuns: 10 },
    );
  });

  it("decodes the example of PackBits and refuses segments that are too long or too short", () => {
    const frame = (...segment: number[]) => {
      const header = new Uint8Array(64);
      header[0] = 1;
      header[4] = 64;
      return join([header, Uint8Array.from(segment)]);
    };
    // PS3.5 G.3.1: n in 0..127 copies n + 1 bytes, n in −127..−1 repeats one 1 − n times, −128 does nothing.
    const decode = (stream: Uint8Array) => [...decodeRle(stream, { pixels: 6, bytesPerCell: 1 })];
    assertEquals(decode(frame(2, 1, 2, 3, 128, 256 - 2, 9, 0)), [1, 2, 3, 9, 9, 9]);
    assertThrows(() => decode(frame(2, 1, 2, 3)), MammolabError, "cut");
    assertThrows(() => decode(frame(5, 1, 2, 3)), MammolabError, "cut");
    assertThrows(() => decode(frame(256 - 6, 9)), MammolabError, "more than its pixels");
    assertThrows(() => decode(frame(256 - 5, 9, 1, 2, 3)), MammolabError, "more than its pixels");
  });
});

describe("checkJpegScan()", () => {
  it("passes what libjpeg coded, and no cut of it, with or without an end marker put after the cut", () => {
    fc.assert(
      fc.property(films([8]), (film) => {
        const stream = encoded(film, (native, context) => native.encodeJpeg(context, { lossy: true, quality: 90 }));
        checkJpegScan(stream, sizesOf(film));
        const head = stream.findLastIndex((byte, i) => byte === 0xff && stream[i + 1] === 0xda);
        const last = stream.length - 2; // before the end marker
        for (let place = head; place < last - 1; place += Math.max(1, Math.floor((last - head) / 64))) {
          const cut = join([stream.subarray(0, place), Uint8Array.of(0xff, 0xd9)]);
          assertThrows(() => checkJpegScan(cut, sizesOf(film)), MammolabError);
        }
      }),
      { numRuns: 50 },
    );
  });
});
