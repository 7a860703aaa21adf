// What can be seen to be missing without loading anything. Asked first, because it is quick, and because a graphics
// library that finds no driver writes to standard error by itself.
import { createRequire } from "node:module";
import { dirname } from "node:path";
import type { Provider } from "./native.ts";
import type { ProviderCheck } from "./provider.ts";

/** The reason why a provider cannot run here, where that is certain. */
export async function missingHere(provider: Provider): Promise<ProviderCheck & { works: false } | undefined> {
  if (provider === "webgpu" && Deno.build.os === "linux" && await absent(vulkanLoader())) {
    return {
      provider,
      works: false,
      reason: "the Vulkan loader (libvulkan.so.1) is not installed",
      fix: "install the driver of the graphics card and the package libvulkan1, or use the provider cpu",
    };
  }
  if (provider === "cuda" && Deno.build.os === "darwin") {
    return { provider, works: false, reason: "there is no CUDA for macOS", fix: "use the provider webgpu or cpu" };
  }
  if (provider === "cuda" && await absent(cudaPart())) {
    return {
      provider,
      works: false,
      reason: "the CUDA part of ONNX Runtime is not installed, which no package manager fetches by itself",
      fix:
        "with an NVIDIA card on Linux run deno install --allow-scripts=npm:onnxruntime-node, or use the provider cpu",
    };
  }
  return undefined;
}

/** True where none of the places has the file; false also where it cannot be known. */
async function absent(places: AsyncIterable<string> | Iterable<string | undefined>): Promise<boolean> {
  for await (const path of places) {
    if (path === undefined) return false;
    try {
      await Deno.stat(path);
      return false;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) return false;
    }
  }
  return true;
}

async function* vulkanLoader(): AsyncIterable<string> {
  const library = "libvulkan.so.1";
  const { state } = await Deno.permissions.query({ name: "env", variable: "LD_LIBRARY_PATH" });
  const named = state === "granted" ? Deno.env.get("LD_LIBRARY_PATH") ?? "" : "";
  for (const folder of named.split(":")) if (folder) yield `${folder}/${library}`;
  // The loader's own list of every library it knows by name (glibc; other systems have no such file).
  const list = "/etc/ld.so.cache";
  const known = await Deno.readFile(list).then((bytes) => new TextDecoder("latin1").decode(bytes)).catch(() =>
    undefined
  );
  if (known === undefined || known.includes(library)) return yield "/"; // installed, or not to be known: try for real
  for (const folder of ["/usr/lib", "/usr/lib64", "/lib", "/lib64", `/usr/lib/${Deno.build.arch}-linux-gnu`]) {
    yield `${folder}/${library}`;
  }
}

function* cudaPart(): Iterable<string | undefined> {
  let folder: string | undefined;
  try {
    folder = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  } catch {
    return yield undefined; // no node_modules folder to look into: try for real
  }
  const [system, file] = Deno.build.os === "windows"
    ? ["win32", "onnxruntime_providers_cuda.dll"]
    : [Deno.build.os, "libonnxruntime_providers_cuda.so"];
  yield `${folder}/bin/napi-v6/${system}/${Deno.build.arch === "aarch64" ? "arm64" : "x64"}/${file}`;
}
