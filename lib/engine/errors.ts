import { MammolabError, sentenceOf } from "../base/mod.ts";

/** What ONNX Runtime says (a part of it) → what it means and what to do. The first that matches is told. */
const meanings: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [
    /bad.?alloc|failed to allocate memory|out of memory|cannot allocate|memory limit/i,
    "memory ran out; use a smaller batch or a smaller network, or close other programs",
  ],
  [
    /external data.*(does not exist|not found|no such file)|no such file.*external|cannot open file.*external/is,
    "the file of its weights is missing; put it beside the model or load the model again",
  ],
  [
    /escapes (model|working) directory|absolute path not allowed/i,
    "its weights lie outside the folder of the model; put them into that folder",
  ],
  [
    /out of bounds|external initializer|data length|external data/i,
    "its weights do not fit the graph; the file is cut short or belongs to another model: copy it again",
  ],
  [
    /protobuf parsing failed|data pointer is null|does not have a graph|invalid protobuf|failed to load model because protobuf/i,
    "it is not an ONNX model; give a file that ends in .onnx and was copied whole",
  ],
  [/file doesn't exist|no such file/i, "the file is missing; check its path"],
  [
    /requires ffi access/i,
    "native code is not allowed; run with --allow-ffi=./node_modules",
  ],
  [
    /requires read access/i,
    "the engine's files may not be read; run with --allow-read",
  ],
  [
    /could not find a matching package|cannot find module|module not found/i,
    "onnxruntime-node is not installed; run deno install",
  ],
  [
    /is not a registered function\/op|no opset import|opset|unsupported model ir version/i,
    "it uses an operator or a version that ONNX Runtime 1.30 does not know; export it with opset 20 or lower",
  ],
  [
    /unsupported data type/i,
    "an input or output has a number type that cannot cross into the engine (bfloat16, float8); cast inside the graph",
  ],
  [
    /has shape \{.*computed output shape/,
    "an array given for an output has another shape than the result; give one that fits",
  ],
  [/already disposed|session is closed/i, "the session is closed; open it again"],
];

/**
 * One sentence for what the engine threw, with the original as `cause`.
 *
 * @param action what was tried: `open vit-phantom`, `run vit-phantom`
 */
export function engineError(action: string, cause: unknown): MammolabError {
  if (cause instanceof MammolabError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  const meaning = meanings.find(([pattern]) => pattern.test(text))?.[1];
  return new MammolabError(
    meaning
      ? `Cannot ${action}: ${meaning}`
      : `Cannot ${action}: ONNX Runtime says "${
        shortened(sentenceOf(text))
      }"; run deno task doctor to see what works here`,
    { cause },
  );
}

/** The engine's messages begin with source paths and C++ signatures; what a person can use comes after them. */
function shortened(text: string): string {
  const plain = text.replace(/^.*?\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : /, "").replace(/\/onnxruntime_src\/\S+ /g, "")
    .replace(/\S+::\S+\([^)]*\)(::<lambda\(\)>)? ?/g, "");
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain;
}
