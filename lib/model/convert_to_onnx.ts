import { basename, dirname, isAbsolute, join, relative } from "node:path";
import { exists, type FileSystem, MammolabError, seededRandom, writeFileAtomic } from "../base/mod.ts";
import { openSession } from "../engine/mod.ts";
import { readOnnx, toOnnx, type WeightPlace } from "../graph/mod.ts";
import { buildNet, type Net } from "../nets/mod.ts";
import {
  compareWeights,
  fromTimm,
  readRawSafetensors,
  readSafetensorsHeader,
  requireFit,
  type TensorEntry,
} from "../weights/mod.ts";
import { type Conversion, countParameters, type FloatType, floatTypes, onnxLimit } from "./_conversion.ts";
import {
  definitionKey,
  definitionText,
  type ModelDefinition,
  readDefinition,
  untrainedDefinition,
} from "./definition.ts";
import { hubDefinition } from "./hub_model.ts";
import { ownFolder } from "./source.ts";

/** Options of {@linkcode convertToOnnx}. */
export type ToOnnxOptions = {
  /** A network of the catalogue, for weights that do not say theirs (timm's files). */
  readonly network?: string;
  /** Leave the weights where they are and point to them. Default false: one file that can be moved anywhere. */
  readonly beside?: boolean;
  readonly fileSystem?: FileSystem;
};

/**
 * Writes a model as ONNX, which any tool reads: input `image` `[batch, 1, height, width]` in 0..1, outputs `logits`
 * (`features` of a network without a head) and every layer's attention. The file is then run beside the original.
 *
 * @param source a folder with `model.safetensors` (and `model.json`, or a hub's `config.json`), or a safetensors file;
 * of a model that is known by name, `(await loadModel(name)).folder`
 * @throws MammolabError when the weights are not those of the network, or a single file would be longer than 2 GB
 */
export async function convertToOnnx(
  source: string,
  out: string,
  { network, beside = false, fileSystem }: ToOnnxOptions = {},
): Promise<Conversion> {
  const isFolder = await Deno.stat(source).then((found) => found.isDirectory, () => false);
  const folder = isFolder && network === undefined ? await ownFolder(source) : source;
  const file = isFolder ? join(folder, "model.safetensors") : source;
  const { tensors: found, metadata } = await readSafetensorsHeader(file);
  const tensors = fromTimm(found);
  const definition = await definitionOf(file, { network, tensors, metadata });
  const net = buildNet(definition.spec, { normalization: definition.preparation });
  requireFit(compareWeights(net.parameters, tensors), file);

  const inFile = new Map([...net.parameters.keys()].map((name) => [name, tensors.get(name)!]));
  const size = [...inFile.values()].reduce((sum, { length }) => sum + length, 0);
  if (!beside && size > onnxLimit - 2 ** 24) { // the graph itself is far under 16 MB
    throw new MammolabError(
      `Cannot convert ${file}: one ONNX file holds at most 2 GB, the weights are ${
        (size / 1e9).toFixed(1)
      } GB; leave them beside it (--beside)`,
    );
  }
  const outputs = outputsOf(net, definition);
  const options = { metadata: { [definitionKey]: definitionText(definition) }, graphName: definition.name };
  const weights = beside
    ? { places: placesFrom(dirname(out), file, inFile) }
    : { values: await rawValues(file, found, inFile) };
  const bytes = toOnnx(outputs, { ...options, weights });
  await writeFileAtomic(out, bytes, fileSystem ? { fileSystem } : {});

  const original = toOnnx(outputs, { ...options, weights: { places: placesFrom(dirname(file), file, inFile) } });
  const difference = await largestDifference(net, { original, weightsFolder: dirname(file) }, out);
  if (Number.isNaN(difference)) {
    throw new MammolabError(
      `Cannot vouch for ${out}: its answer is no number; take other weights than those of ${file}, which are damaged`,
    );
  }
  if (!(difference <= 1e-5)) {
    throw new MammolabError(
      `Cannot vouch for ${out}: it differs from ${file} by ${difference} when it runs; please report it`,
    );
  }
  return {
    file: out,
    parameters: countParameters(net),
    opset: readOnnx(bytes, out).opset,
    bytes: bytes.length,
    checked: `runs in ONNX Runtime; on noise, all outputs ${
      difference === 0 ? "equal" : `within ${difference.toExponential(0)} of`
    } the original's`,
  };
}

const outputsOf = ({ logits, features, attention }: Net, { spec: { classes } }: ModelDefinition) => ({
  ...(classes === 0 ? { features } : { logits }),
  ...Object.fromEntries(attention.map(({ tap, tensor }) => [tap.name, tensor])),
});

/** What the weights say of themselves, or the named network with as many classes as its head has rows. */
async function definitionOf(
  file: string,
  { network, tensors, metadata }: {
    readonly network: string | undefined;
    readonly tensors: ReadonlyMap<string, TensorEntry>;
    readonly metadata: ReadonlyMap<string, string>;
  },
): Promise<ModelDefinition> {
  const folder = dirname(file);
  const says = metadata.has(definitionKey) ||
    basename(file) === "model.safetensors" && await exists(join(folder, "model.json"));
  if (says && network !== undefined) {
    throw new MammolabError(
      `Cannot convert ${file} as ${network}: the weights say themselves which network they belong to; leave --network out`,
    );
  }
  if (says) return await readDefinition(folder, metadata);
  const ofHub = basename(file) === "model.safetensors" &&
    await exists(join(folder, "config.json"));
  if (network === undefined && ofHub) return await hubDefinition(folder, tensors);
  if (network === undefined) {
    throw new MammolabError(
      `Cannot convert ${file}: it does not say which network it belongs to; name one of the catalogue (--network vit_tiny_patch16_224)`,
    );
  }
  const rows = tensors.get("head.weight")?.shape[0] ?? 0;
  const classes = Array.from({ length: rows }, (_, i) => `class ${i}`);
  return {
    ...untrainedDefinition(network, { seed: 0, classes }),
    trained: true,
    origin: `the numbers of ${basename(file)}`,
  };
}

function placesFrom(
  folder: string,
  file: string,
  tensors: ReadonlyMap<string, TensorEntry>,
): ReadonlyMap<string, WeightPlace> {
  const location = relative(folder, file);
  if (location.startsWith("..") || isAbsolute(location)) {
    throw new MammolabError(
      `Cannot leave the weights at ${file}: an ONNX model finds them only in its own folder or below; write the model to ${
        dirname(file)
      }`,
    );
  }
  return new Map([...tensors].map(([name, { type, offset, length }]) => {
    requireFloats(name, type, file);
    return [name, { location, offset, length, type }];
  }));
}

async function rawValues(
  file: string,
  found: ReadonlyMap<string, TensorEntry>,
  wanted: ReadonlyMap<string, TensorEntry>,
): Promise<ReadonlyMap<string, { readonly type: FloatType; readonly bytes: Uint8Array }>> {
  const ownName = new Map([...found].map(([name, entry]) => [entry, name]));
  const raw = await readRawSafetensors(file, [...wanted.values()].map((entry) => ownName.get(entry)!));
  return new Map([...wanted].map(([name, entry]) => {
    const { type, bytes } = raw.get(ownName.get(entry)!)!;
    requireFloats(name, type, file);
    return [name, { type, bytes }];
  }));
}

function requireFloats(name: string, type: string, file: string): asserts type is FloatType {
  if (Object.values(floatTypes).includes(type as FloatType)) return;
  throw new MammolabError(
    `Cannot convert ${file}: ${name} holds ${type} numbers, not F32, F16 or BF16; save the weights as F32`,
  );
}

/** Runs both models on two images of noise; the largest difference of any output. */
async function largestDifference(
  { image }: Net,
  { original, weightsFolder }: { readonly original: Uint8Array; readonly weightsFolder: string },
  out: string,
): Promise<number> {
  const shape = [2, ...image.shape.slice(1) as number[]];
  const { uniform } = seededRandom(1, "convert");
  const noise = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, uniform);
  const run = async (options: { readonly model: Uint8Array | string; readonly weightsFolder?: string }) => {
    await using session = await openSession({ ...options, provider: "cpu" });
    return (await session.run({ image: { data: noise, shape } })).outputs;
  };
  const [a, b] = [await run({ model: original, weightsFolder }), await run({ model: out })];
  let largest = 0;
  for (const [name, { data }] of Object.entries(a)) {
    const other = b[name]!.data as Float32Array;
    (data as Float32Array).forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value - other[i]!)); // NaN stays NaN
    });
  }
  return largest;
}
