import { type FileSystem, MammolabError, writeFileAtomic } from "../base/mod.ts";

/** Number types that are read; `F16` and `BF16` are widened to Float32. */
export type SafetensorsType =
  | "F32"
  | "F16"
  | "BF16"
  | "I64"
  | "I32"
  | "U8"
  | "BOOL"
  | "F64"
  | "I16"
  | "I8"
  | "U16"
  | "U32"
  | "U64";

/** One tensor of a file. */
export type TensorEntry = {
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
};

/** The header of a safetensors file. */
export type SafetensorsHeader = {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
};

const widths: Readonly<Record<SafetensorsType, number>> = {
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U8: 1,
  BOOL: 1,
  F64: 8,
  I16: 2,
  I8: 1,
  U16: 2,
  U32: 4,
  U64: 8,
};

/** The reference implementation's limit (huggingface/safetensors, tensor.rs). */
const HEADER_LIMIT = 100_000_000;

/**
 * Reads the header of a safetensors file, with the checks of the reference implementation: the length fits, the JSON is an
 * object of tensors, offsets are in order, cover the data without holes or overlaps, and agree with type and shape.
 *
 * @throws MammolabError naming the file and what is wrong
 */
export async function readSafetensorsHeader(path: string): Promise<SafetensorsHeader> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const head = await readAt(file, 0, 8, path);
    const length = Number(new DataView(head.buffer).getBigUint64(0, true));
    if (!(length > 1 && length <= HEADER_LIMIT && length <= size - 8)) {
      throw refuse(path, `its header claims ${length} bytes, the file has ${size}`);
    }
    return parseHeader(await readAt(file, 8, length, path), size, path);
  } finally {
    file.close();
  }
}

/** Checks a header: `bytes` is the JSON, `size` the length of the whole file. */
export function parseHeader(bytes: Uint8Array, size: number, path: string): SafetensorsHeader {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw refuse(path, "its header is no JSON", cause);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw refuse(path, "its header is no JSON object");
  }
  const start = 8 + bytes.length;
  const tensors = new Map<string, TensorEntry>();
  const metadata = new Map<string, string>();
  for (const [name, entry] of Object.entries(json)) {
    if (name === "__metadata__") {
      if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
        throw refuse(path, "its metadata is no JSON object");
      }
      for (const [key, value] of Object.entries(entry)) {
        if (typeof value !== "string") throw refuse(path, `its metadata ${JSON.stringify(key)} is no text`);
        metadata.set(key, value);
      }
      continue;
    }
    tensors.set(name, entryOf(name, entry, start, path));
  }
  let at = start;
  for (
    const [name, { offset, length }] of [...tensors].sort(([, a], [, b]) => a.offset - b.offset || a.length - b.length)
  ) {
    if (offset !== at) throw refuse(path, `${offset < at ? "two tensors overlap" : "there is a hole"} before ${name}`);
    at += length;
  }
  if (at !== size) throw refuse(path, `its tensors end at byte ${at}, the file at ${size}`);
  return { tensors, metadata };
}

function entryOf(name: string, entry: unknown, start: number, path: string): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  const whole = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (typeof dtype !== "string" || !Object.hasOwn(widths, dtype)) {
    throw refuse(path, `tensor ${name} has a number type that is not read`);
  }
  if (
    !Array.isArray(shape) || !shape.every(whole) || !Array.isArray(offsets) || offsets.length !== 2 ||
    !offsets.every(whole)
  ) {
    throw refuse(path, `the entry of tensor ${name} is damaged`);
  }
  const type = dtype as SafetensorsType;
  const bytes = shape.reduce((a, b) => a * b, widths[type]);
  const [from, to] = offsets as [number, number];
  if (!Number.isSafeInteger(bytes) || to - from !== bytes) {
    throw refuse(path, `tensor ${name} has ${to - from} bytes, its shape [${shape}] needs ${bytes}`);
  }
  return { type, shape, offset: start + from, length: bytes };
}

/**
 * Reads tensors as Float32 (F16 and BF16 are widened, exactly).
 *
 * @param names which; default all of a floating type
 * @throws MammolabError when a name is missing or its numbers are integers
 */
export async function readSafetensors(
  path: string,
  names?: readonly string[],
): Promise<Map<string, { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }>> {
  const { tensors } = await readSafetensorsHeader(path);
  const floating = [...tensors.keys()].filter((name) => /^B?F/.test(tensors.get(name)!.type));
  const raw = await readRawSafetensors(path, names ?? floating);
  return new Map([...raw].map(([name, { shape, type, bytes }]) => {
    const data = widen(bytes, type, () => refuse(path, `tensor ${name} holds no floating numbers`));
    return [name, { shape, data }];
  }));
}

/**
 * Reads tensors as they lie in the file, little-endian.
 *
 * @param names which; default all
 * @throws MammolabError when a name is missing
 */
export async function readRawSafetensors(
  path: string,
  names?: readonly string[],
): Promise<Map<string, RawTensor<SafetensorsType>>> {
  const { tensors } = await readSafetensorsHeader(path);
  const file = await openFile(path);
  try {
    const out = new Map<string, RawTensor<SafetensorsType>>();
    for (const name of names ?? tensors.keys()) {
      const entry = tensors.get(name);
      if (!entry) throw refuse(path, `it has no tensor ${name}`);
      const bytes = await readAt(file, entry.offset, entry.length, path);
      out.set(name, { shape: entry.shape, type: entry.type, bytes });
    }
    return out;
  } finally {
    file.close();
  }
}

function widen(
  bytes: Uint8Array<ArrayBuffer>,
  type: SafetensorsType,
  wrong: () => MammolabError,
): Float32Array<ArrayBuffer> {
  if (type === "F32") return new Float32Array(bytes.buffer);
  if (type === "F16") return Float32Array.from(new Float16Array(bytes.buffer));
  if (type === "BF16") {
    const halves = new Uint16Array(bytes.buffer);
    const out = new Uint32Array(halves.length);
    for (let i = 0; i < out.length; i++) out[i] = halves[i]! << 16;
    return new Float32Array(out.buffer);
  }
  if (type === "F64") return Float32Array.from(new Float64Array(bytes.buffer));
  throw wrong();
}

/** A tensor as it lies in a file. */
export type RawTensor<Type extends SafetensorsType = SafetensorsType> = {
  readonly shape: readonly number[];
  readonly type: Type;
  /** Little-endian, row by row. */
  readonly bytes: Uint8Array<ArrayBuffer>;
};

/** A tensor to write: numbers, or bytes that are written as they are. */
export type TensorToWrite =
  & { readonly name: string; readonly shape: readonly number[] }
  & ({ readonly data: Float32Array } | { readonly type: SafetensorsType; readonly bytes: Uint8Array });

/**
 * Writes a safetensors file, atomically. Tensors are aligned to 8 bytes by padding the header, as the reference does.
 *
 * @param type of the tensors that are given as numbers: `F16` rounds each to half precision and halves the file
 * @throws MammolabError when a number is beyond the range of half precision, or the disk does not let it
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  { metadata = {}, type = "F32", fileSystem }: {
    readonly metadata?: Readonly<Record<string, string>>;
    readonly type?: "F32" | "F16";
    readonly fileSystem?: FileSystem;
  } = {},
): Promise<void> {
  await writeFileAtomic(path, safetensorsChunks(tensors, { metadata, type }), fileSystem ? { fileSystem } : {});
}

/** The bytes of a safetensors file, piece by piece. */
export function* safetensorsChunks(
  tensors: readonly TensorToWrite[],
  { metadata = {}, type = "F32" }: {
    readonly metadata?: Readonly<Record<string, string>>;
    readonly type?: "F32" | "F16";
  } = {},
): Generator<Uint8Array> {
  const header: Record<string, unknown> = Object.create(null);
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let at = 0;
  for (const tensor of tensors) {
    const raw = "bytes" in tensor;
    const bytes = raw ? tensor.bytes.length : tensor.data.length * widths[type];
    header[tensor.name] = { dtype: raw ? tensor.type : type, shape: tensor.shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const json = JSON.stringify(header);
  const length = new TextEncoder().encode(json).length;
  const text = new TextEncoder().encode(json + " ".repeat((8 - length % 8) % 8));
  const head = new Uint8Array(8);
  new DataView(head.buffer).setBigUint64(0, BigInt(text.length), true);
  yield head;
  yield text;
  for (const tensor of tensors) {
    if ("bytes" in tensor) yield tensor.bytes;
    else if (type === "F16") yield new Uint8Array(halved(tensor).buffer);
    else yield new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
  }
}

/** In half precision. A number beyond its range would become infinity, and what a network says no number. */
function halved({ name, data }: { readonly name: string; readonly data: Float32Array }): Float16Array<ArrayBuffer> {
  const halves = Float16Array.from(data);
  const beyond = halves.findIndex((half, i) => !Number.isFinite(half) && Number.isFinite(data[i]!));
  if (beyond < 0) return halves;
  throw new MammolabError(
    `Cannot write ${name} in 16 bits: it holds ${data[beyond]}, the largest is 65504; write 32 bits`,
  );
}

async function openFile(path: string): Promise<Deno.FsFile> {
  const cannot = (reason: string, cause?: unknown) =>
    new MammolabError(`Cannot read the weights ${path}: ${reason}`, { cause });
  try {
    if (!(await Deno.stat(path)).isFile) throw cannot("it is no file; check the path"); // a pipe would never be opened
    return await Deno.open(path);
  } catch (cause) {
    if (cause instanceof MammolabError) throw cause;
    throw cause instanceof Deno.errors.NotFound
      ? cannot("there is no such file; check the path", cause)
      : cannot("it cannot be opened; check its permissions", cause);
  }
}

async function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let at = 0; at < length;) {
    const got = await file.read(bytes.subarray(at));
    if (got === null) throw refuse(path, "it ends too early");
    at += got;
  }
  return bytes;
}

function refuse(path: string, what: string, cause?: unknown): MammolabError {
  return new MammolabError(`Cannot read the weights ${path}: ${what}; download or write the file again`, {
    cause,
  });
}
