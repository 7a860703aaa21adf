/** The project's folder, where tasks run. */
export const root = new URL("../../", import.meta.url).pathname;

/** What a program said and how it ended. */
export type Run = { readonly code: number; readonly out: string; readonly error: string };

/** A run of deno in the project's folder. */
export function command(args: readonly string[], env: Readonly<Record<string, string>> = {}): Deno.Command {
  return new Deno.Command("deno", {
    args: [...args],
    cwd: root,
    env: { NO_COLOR: "1", ...env },
    stdout: "piped",
    stderr: "piped",
  });
}

/** Runs deno in the project's folder to its end. */
export async function deno(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Run> {
  const { code, stdout, stderr } = await command(args, env).output();
  return { code, out: new TextDecoder().decode(stdout), error: new TextDecoder().decode(stderr) };
}
