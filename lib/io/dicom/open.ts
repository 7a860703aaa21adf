import { formAt, openContainer } from "./container.ts";
import type { DataSet } from "./data_set.ts";
import { checkedStreamHeader, decodeStream, nativeCells } from "./decode.ts";
import { inflateDataSet } from "./deflate.ts";
import { framesOfFragments, joinFragments, readFragments } from "./fragments.ts";
import { type DicomHeader, headerOf } from "./header.ts";
import { type DicomLimits, frameBytesOf, type PixelLayout, pixelLayoutOf } from "./layout.ts";
import { odditiesOf } from "./oddities.ts";
import { bytesFollow, type Form, type Parsed, parseDataSet, type PixelElement } from "./parse.ts";
import { copyAgain, count, loadLarger, refuse } from "./refuse.ts";
import { type Stored, storedValues } from "./stored.ts";
import { isLossy, knownSyntax, readableSyntax, syntaxName, trueSyntaxOf } from "./syntax.ts";

/** A file whose header was read and checked, ready to give its frames. */
export type OpenDicom = {
  readonly dataSet: DataSet;
  readonly layout: PixelLayout;
  readonly header: DicomHeader;
  readonly warnings: readonly string[];
  /** Decodes one frame, from 0. */
  readonly readStored: (frame: number) => Promise<Stored>;
};

/** What the pixels of a file are in, and how to get at them. */
type PixelSource = {
  readonly trueSyntax?: string;
  readonly lossy: boolean;
  readonly warnings: readonly string[];
  readonly readStored: (frame: number) => Promise<Stored>;
};

/** Reads and checks everything but the pixels. */
export async function openDicom(
  bytes: Uint8Array,
  { limits, salt, frame }: {
    readonly limits: DicomLimits;
    readonly salt?: Uint8Array | undefined;
    /** The frame whose functional groups the header describes; the middle one if left out. */
    readonly frame?: number | undefined;
  },
): Promise<OpenDicom> {
  if (bytes.length > limits.maxFileBytes) {
    refuse(
      `it has ${count(bytes.length)} bytes, the limit is ${count(limits.maxFileBytes)}; ${loadLarger("maxFileBytes")}`,
    );
  }
  const container = openContainer(bytes);
  const { declaredSyntax } = container;
  const deflated = declaredSyntax === "1.2.840.10008.1.2.1.99";
  const whole = deflated ? await inflateDataSet(bytes.subarray(container.at), limits) : bytes;
  const at = deflated ? 0 : container.at;
  const form = formAt(whole, at);
  const parsed = parseDataSet(whole, at, form);
  const layout = pixelLayoutOf(parsed.dataSet, limits);
  const pixels = pixelsOf(parsed);
  const source = isEncapsulated(whole, pixels, layout, declaredSyntax)
    ? encapsulatedSource(whole, pixels, layout, form, declaredSyntax)
    : nativeSource(whole, pixels, layout, { form, declaredSyntax, deflated });
  const header = headerOf(parsed.dataSet, {
    layout,
    transferSyntax: knownSyntax(declaredSyntax),
    trueSyntax: source.trueSyntax,
    lossy: source.lossy,
    frame: frame ?? middleOf(layout),
    salt,
  });
  const warnings = [
    ...container.warnings,
    ...formWarnings(form, declaredSyntax),
    ...source.warnings,
    ...odditiesOf(parsed.dataSet, header),
  ];
  return { dataSet: parsed.dataSet, layout, header, warnings, readStored: source.readStored };
}

/** The frame that stands for a file of many: slices near the middle show the most of a breast. */
export const middleOf = ({ frames }: PixelLayout): number => Math.floor(frames / 2);

function pixelsOf({ pixels, floatPixels }: Parsed): PixelElement {
  if (pixels && pixels.length !== 0) return pixels;
  return floatPixels
    ? refuse("its pixels are floating point numbers, whole ones are read; export it again as a grey image")
    : refuse("it holds no pixel data; choose an image file of the exam");
}

/**
 * Encapsulated streams have no length. Where they have one all the same, they begin with an item, and are shorter than the
 * picture would be if the file says that it is uncompressed.
 */
function isEncapsulated(
  bytes: Uint8Array,
  { at, length }: PixelElement,
  layout: PixelLayout,
  declaredSyntax: string,
): boolean {
  if (length < 0) return true;
  const item = bytes[at] === 0xfe && bytes[at + 1] === 0xff && bytes[at + 2] === 0x00 && bytes[at + 3] === 0xe0;
  const syntax = readableSyntax(declaredSyntax);
  if (declaredSyntax === "" || syntax?.native) return item && length < frameBytesOf(layout) * layout.frames;
  if (!syntax) refuse(`${syntaxName(declaredSyntax)} is not read; export it uncompressed or as JPEG 2000`);
  return item || refuse(`its pixel data is not in ${syntax.name} as the file says; ${copyAgain}`);
}

function nativeSource(
  bytes: Uint8Array,
  pixels: PixelElement,
  layout: PixelLayout,
  { form, declaredSyntax, deflated }: {
    readonly form: Form;
    readonly declaredSyntax: string;
    readonly deflated: boolean;
  },
): PixelSource {
  const needed = frameBytesOf(layout) * layout.frames;
  // Of a deflated file no more was inflated than is needed, so that what follows is not looked at.
  if (!deflated && pixels.length > bytes.length - pixels.at) refuse(`it ends inside its pixel data; ${copyAgain}`);
  if (needed > Math.min(pixels.length, bytes.length - pixels.at)) {
    refuse(`its header promises ${count(needed)} bytes of pixels, ${count(pixels.length)} are there; ${copyAgain}`);
  }
  const extra = pixels.length - needed;
  const trueSyntax = nativeSyntaxOf(form, deflated);
  return {
    ...(declaredSyntax !== "" && declaredSyntax !== trueSyntax ? { trueSyntax } : {}),
    lossy: false,
    warnings: [
      ...(extra > 1 ? [`The pixel data is ${extra} bytes longer than the picture; they were left out`] : []),
      ...tailWarnings(!deflated && bytesFollow(bytes, pixels.at + pixels.length, form)),
    ],
    readStored(frame) {
      const cells = nativeCells(bytes.subarray(pixels.at, pixels.at + pixels.length), layout, {
        frame,
        swapped: !form.littleEndian,
        words: pixels.vr === "OW",
      });
      return Promise.resolve(storedValues(cells, layout, { lossy: false }));
    },
  };
}

function encapsulatedSource(
  bytes: Uint8Array,
  pixels: PixelElement,
  layout: PixelLayout,
  form: Form,
  declaredSyntax: string,
): PixelSource {
  const fragments = readFragments(bytes, pixels);
  const starts = framesOfFragments(bytes, fragments, layout.frames);
  const streamOf = (frame: number) =>
    joinFragments(bytes, fragments, starts[frame] as number, starts[frame + 1] as number);
  const first = checkedStreamHeader(streamOf(0), layout, declaredSyntax);
  const syntax = trueSyntaxOf(first, declaredSyntax);
  const lossy = isLossy(syntax);
  const lies = declaredSyntax !== syntax;
  return {
    ...(lies ? { trueSyntax: syntax } : {}),
    lossy,
    warnings: [
      ...(lies ? [`The file says ${syntaxName(declaredSyntax)}, its pixels are in ${syntaxName(syntax)}`] : []),
      ...(fragments.closed ? [] : ["The file ends before the mark that closes its pixel data; all frames were there"]),
      ...tailWarnings(fragments.closed && bytesFollow(bytes, fragments.end, form)),
    ],
    async readStored(frame) {
      const stream = streamOf(frame);
      const header = checkedStreamHeader(stream, layout, declaredSyntax);
      const cells = await decodeStream(stream, header, layout);
      return storedValues(cells, layout, { stream: header, lossy: isLossy(trueSyntaxOf(header, declaredSyntax)) });
    },
  };
}

const tailWarnings = (bytesFollow: boolean): readonly string[] =>
  bytesFollow ? ["Bytes that are no attributes follow the picture; they were left out"] : [];

function nativeSyntaxOf({ littleEndian, explicit }: Form, deflated: boolean): string {
  const root = "1.2.840.10008.1.2";
  return root + (deflated ? ".1.99" : !littleEndian ? ".2" : explicit ? ".1" : "");
}

/** Says where the attributes are written otherwise than the transfer syntax says, whatever the pixels are in. */
function formWarnings({ littleEndian, explicit }: Form, declaredSyntax: string): readonly string[] {
  if (declaredSyntax === "") return [];
  const implicit = declaredSyntax === "1.2.840.10008.1.2";
  const big = declaredSyntax === "1.2.840.10008.1.2.2";
  return implicit === !explicit && big === !littleEndian ? [] : [
    `The file says ${syntaxName(declaredSyntax)}, its attributes are written otherwise; they were told from the bytes`,
  ];
}
