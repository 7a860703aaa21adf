import { copyAgain, refuse } from "./refuse.ts";
import type { StreamHeader } from "./code_stream.ts";

/** A code stream whose header was compared with the file's, ready for a decoder. */
export type CodedFrame = {
  readonly stream: Uint8Array;
  readonly header: StreamHeader;
  readonly rows: number;
  readonly columns: number;
  readonly bytesPerCell: 1 | 2;
  readonly signed: boolean;
};

/**
 * Decodes by dcmjs-codecs: libjpeg (8 and 12 bits), OpenJPEG and OpenJPH, compiled to WebAssembly. Loaded only when such a
 * stream is met. Whatever it throws, its memory is not to be trusted afterwards (a good file fails after a dozen
 * bad ones), so the next call gets a new instance.
 *
 * @returns cells as they were coded: not masked, not clamped, not sign-extended
 */
export async function decodeByWebAssembly(frame: CodedFrame): Promise<Uint8Array | Uint16Array> {
  const { NativeCodecs, Context } = await nativeCodecs();
  const { stream, header, rows, columns, bytesPerCell, signed } = frame;
  const { bits = 16 } = header;
  // Told of larger cells than the stream fills, libjpeg leaves gaps between the rows.
  const bytesPerSample = bits <= 8 ? 1 : 2;
  const context = new Context({
    width: columns,
    height: rows,
    bitsAllocated: 8 * bytesPerSample,
    bitsStored: bits,
    samplesPerPixel: 1,
    pixelRepresentation: signed ? 1 : 0,
    planarConfiguration: 0,
    photometricInterpretation: "MONOCHROME2",
    encodedBuffer: stream,
  });
  let decoded: Uint8Array | undefined;
  try {
    decoded = decoderOf(NativeCodecs, header)(context).getDecodedBuffer();
  } catch (cause) {
    initialized = undefined;
    refuse(`its code stream cannot be decoded; ${copyAgain}`, cause);
  }
  if (decoded?.length !== rows * columns * bytesPerSample) {
    initialized = undefined;
    refuse(`its code stream gives another number of pixels than the header promises; ${copyAgain}`);
  }
  const bytes = decoded.slice(); // the buffer may lie in the decoder's memory, which the next call reuses
  if (bytesPerSample === 2) return new Uint16Array(bytes.buffer);
  if (bytesPerCell === 1) return bytes;
  return Uint16Array.from(header.signed ? new Int8Array(bytes.buffer) : bytes);
}

type Codecs = Pick<typeof import("dcmjs-codecs"), "NativeCodecs" | "Context">;

let initialized: Promise<Codecs> | undefined;

function nativeCodecs(): Promise<Codecs> {
  initialized ??= (async () => {
    const module = await import("dcmjs-codecs");
    const codecs: Codecs = (module as { default?: Codecs }).default ?? module;
    await codecs.NativeCodecs.initializeAsync();
    return codecs;
  })();
  return initialized;
}

function decoderOf(native: Codecs["NativeCodecs"], { kind }: StreamHeader) {
  switch (kind) {
    case "jpeg 2000":
      return native.decodeJpeg2000.bind(native);
    case "htj2k":
      return native.decodeHtJpeg2000.bind(native);
    default:
      return native.decodeJpeg.bind(native);
  }
}
