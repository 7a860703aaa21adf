import { dirname, join } from "node:path";

/** Runs `use` in a new folder that holds these files, and removes it afterwards. */
export async function withFiles<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "mammolab-" });
  try {
    for (const [name, content] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
      if (typeof content === "string") await Deno.writeTextFile(join(folder, name), content);
      else await Deno.writeFile(join(folder, name), content);
    }
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const root = Deno.env.get("MAMMOLAB_TEST_DATA");
if (!root) {
  const line = "MAMMOLAB_TEST_DATA is not set: the tests on the published data sets are skipped\n";
  await Deno.stderr.write(new TextEncoder().encode(line));
}

/** A path below the folder of real data, or undefined where there is none. */
export function realData(path: string): string | undefined {
  return root === undefined ? undefined : join(root, path);
}
