import { dirname, isAbsolute, join } from "node:path";
import { type FileSystem, joinBytes, MammolabError, sentenceOf } from "../base/mod.ts";
import { type OnnxInitializer, readOnnx } from "../graph/mod.ts";
import { buildNet } from "../nets/mod.ts";
import { compareWeights, type RawTensor, readRawSafetensors, requireFit, writeSafetensors } from "../weights/mod.ts";
import { type Conversion, countParameters, type FloatType, floatTypes, onnxLimit } from "./_conversion.ts";
import { definitionKey, definitionText, parseDefinition } from "./definition.ts";

/**
 * Writes the weights of an ONNX model that mammolab wrote as safetensors: each tensor keeps its bytes. The file is then
 * read again and compared.
 *
 * @param source an ONNX file of {@linkcode convertToOnnx}
 * @throws MammolabError when somebody else wrote it: then its weights have no names that a network would know
 */
export async function convertToSafetensors(
  source: string,
  out: string,
  { fileSystem }: { readonly fileSystem?: FileSystem } = {},
): Promise<Conversion> {
  const { producer, metadata, initializers, opset } = readOnnx(await readModel(source), source);
  const text = metadata.get(definitionKey);
  if (producer !== "mammolab" || text === undefined) {
    const by = producer ? `by ${JSON.stringify(producer.slice(0, 40))}` : "by an unknown tool";
    throw new MammolabError(
      `Cannot convert ${source}: it was written ${by}, not by mammolab, and its weights have no published names; take the safetensors file that it was made from`,
    );
  }
  const definition = parseDefinition(text, source);
  const net = buildNet(definition.spec, { normalization: definition.preparation });
  const byName = weightsOf(initializers);
  requireFit(compareWeights(net.parameters, byName), source);
  const tensors: ({ readonly name: string } & RawTensor)[] = [];
  for (const [name, shape] of net.parameters) {
    const parts = await Promise.all(byName.get(name)!.parts.map((one) => bytesOf(one, source)));
    tensors.push({
      name,
      shape,
      type: parts[0]!.type,
      bytes: parts.length === 1 ? parts[0]!.bytes : joinBytes(parts.map(({ bytes }) => bytes)),
    });
  }
  await writeSafetensors(out, tensors, {
    metadata: { format: "pt", [definitionKey]: definitionText(definition) },
    ...(fileSystem ? { fileSystem } : {}),
  });

  const written = await readRawSafetensors(out);
  const changed = tensors.find(({ name, type, bytes }) => {
    const back = written.get(name);
    return back?.type !== type || back.bytes.length !== bytes.length || back.bytes.some((byte, i) => byte !== bytes[i]);
  });
  if (changed) throw new MammolabError(`Cannot vouch for ${out}: ${changed.name} was changed on the way; try again`);
  return {
    file: out,
    parameters: countParameters(net),
    opset,
    bytes: (await Deno.stat(out)).size,
    checked: `read again; all ${tensors.length} tensors hold the same bytes`,
  };
}

/** Weights by their published names; one that stands in the model as rows, `name[start:end]`, is put together again. */
function weightsOf(
  initializers: readonly OnnxInitializer[],
): Map<string, { readonly shape: readonly number[]; readonly parts: readonly OnnxInitializer[] }> {
  const found = Map.groupBy(initializers, ({ name }) => name.replace(/(\[\d+:\d+\])?(:B?F16)?$/, ""));
  const start = ({ name }: OnnxInitializer) => Number(/\[(\d+):\d+\]/.exec(name)?.[1] ?? 0);
  return new Map([...found].map(([name, some]) => {
    const parts = [...some].sort((a, b) => start(a) - start(b));
    const [, ...rest] = parts[0]!.shape;
    const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0);
    return [name, { shape: parts[0]!.shape.length === 0 ? [] : [rows, ...rest], parts }];
  }));
}

async function readModel(path: string): Promise<Uint8Array> {
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile) throw new MammolabError(`Cannot read ${path}: it is no file; give an ONNX file`);
    if (size > onnxLimit) {
      throw new MammolabError(`Cannot read ${path}: an ONNX file has at most 2 GB; check the file`);
    }
    return await Deno.readFile(path);
  } catch (cause) {
    if (cause instanceof MammolabError) throw cause;
    const reason = cause instanceof Deno.errors.NotFound ? "there is no such file" : sentenceOf(cause);
    throw new MammolabError(`Cannot read ${path}: ${reason}; check the path`, { cause });
  }
}

/** The numbers of a weight, wherever the model has them. */
async function bytesOf(
  { name, shape, type: onnxType, bytes, external }: OnnxInitializer,
  source: string,
): Promise<Pick<RawTensor<FloatType>, "type" | "bytes">> {
  const type = floatTypes[onnxType];
  const length = shape.reduce((a, b) => a * b, type === "F32" ? 4 : 2);
  const broken = (what: string, cause?: unknown) =>
    new MammolabError(`Cannot convert ${source}: ${what}; convert the original again`, { cause });
  if (!type) throw broken(`${name} holds no floating numbers`);
  if (!external) {
    if (bytes?.length !== length) throw broken(`${name} has ${bytes?.length ?? 0} bytes in place of ${length}`);
    return { type, bytes: Uint8Array.from(bytes) };
  }
  const { location, offset } = external;
  if (isAbsolute(location) || location.split(/[\\/]/).includes("..")) {
    throw broken(`its weights lie outside its folder`);
  }
  if (external.length !== length || !Number.isSafeInteger(offset) || offset < 0) throw broken(`${name} has no place`);
  try {
    using file = await Deno.open(join(dirname(source), location));
    await file.seek(offset, Deno.SeekMode.Start);
    const out = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const got = await file.read(out.subarray(at));
      if (got === null) throw broken(`${location} ends before ${name}`);
      at += got;
    }
    return { type, bytes: out };
  } catch (cause) {
    if (cause instanceof MammolabError) throw cause;
    throw broken(`its weights in ${location} cannot be read (${sentenceOf(cause)})`, cause);
  }
}
