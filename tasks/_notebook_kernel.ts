// deno-lint-ignore-file camelcase -- Jupyter's own names
// A Jupyter kernel that loses no output. The Deno kernel says "idle" before its outputs are out and stamps late ones with
// whatever request is current, so every client that stops at "idle" loses lines. Here a marker is sent through the same queue
// after each cell: the queue is first in, first out, so what comes before the marker belongs to the cell.
import { stripVTControlCharacters } from "node:util";
import { MammolabError } from "../lib/base/mod.ts";
import { connectZmtp, type ZmtpSocket } from "./_notebook_zmtp.ts";

/** MIME type → content. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** An output as nbformat 4.5 writes it. */
export type Output =
  | { readonly output_type: "stream"; readonly name: string; readonly text: string }
  | { readonly output_type: "display_data"; readonly data: MimeBundle; readonly metadata: object }
  | {
    readonly output_type: "execute_result";
    readonly data: MimeBundle;
    readonly metadata: object;
    readonly execution_count: number;
  }
  | {
    readonly output_type: "error";
    readonly ename: string;
    readonly evalue: string;
    readonly traceback: readonly string[];
  };

/** A running kernel. */
export type Kernel = AsyncDisposable & {
  /** Runs a cell and gives all it put out, in order. @throws MammolabError when the kernel ends or the time is over */
  readonly run: (
    code: string,
    options: { readonly limitMs: number; readonly signal?: AbortSignal },
  ) => Promise<Output[]>;
};

/** How a kernel is started: the words of a kernel.json's `argv`, with `{connection_file}` where the file's name goes. */
export const denoKernel: readonly string[] = ["deno", "jupyter", "--kernel", "--conn", "{connection_file}"];

type Header = { readonly msg_id: string; readonly msg_type: string };
// deno-lint-ignore no-explicit-any -- each message type has a content of its own
type Message = { readonly header: Header; readonly parent: Partial<Header>; readonly content: any };

const markerType = "application/x-mammolab-marker";

/**
 * Starts a kernel in a folder and waits until it answers.
 *
 * @param scratch folder for the connection file
 */
export async function startKernel(
  { argv = denoKernel, folder, scratch, limitMs = 60_000 }: {
    readonly argv?: readonly string[];
    readonly folder: string;
    readonly scratch: string;
    readonly limitMs?: number;
  },
): Promise<Kernel> {
  const key = crypto.randomUUID();
  const names = ["shell_port", "iopub_port", "stdin_port", "control_port", "hb_port"] as const;
  const free = freePorts(names.length);
  const ports = Object.fromEntries(names.map((name, i) => [name, free[i]!])) as Record<typeof names[number], number>;
  await Deno.mkdir(scratch, { recursive: true });
  const file = `${scratch}/kernel-${key}.json`;
  const connection = { ip: "127.0.0.1", transport: "tcp", key, signature_scheme: "hmac-sha256", kernel_name: "deno" };
  await Deno.writeTextFile(file, JSON.stringify({ ...connection, ...ports }), { mode: 0o600 });

  const [command, ...args] = argv.map((word) => word.replace("{connection_file}", file));
  const child = new Deno.Command(command!, { args, cwd: folder, stdin: "null", stdout: "piped", stderr: "piped" })
    .spawn();
  const said = lastWords(child);
  const ended = child.status.then(async ({ code, signal }): Promise<never> => {
    const words = await said;
    throw new MammolabError(
      `Cannot go on with the notebook: its kernel ended (${signal ?? `exit code ${code}`})${
        words ? `, its last words were “${words}”` : ""
      }; run the cell in a script to see more`,
    );
  });
  ended.catch(() => {}); // raced below; a kernel that ends later, on purpose, is no error
  const inTime = <T>(work: Promise<T>, milliseconds: number, what: string, signal?: AbortSignal) =>
    Promise.race([work, ended, timeout(milliseconds, what, signal)]);

  const sockets: ZmtpSocket[] = [];
  let shutDown = () => Promise.resolve();
  const dispose = async () => {
    // Asked first, as a kernel behind npx outlives the death of npx; killed when it is too busy to answer
    await Promise.race([shutDown().then(() => child.status), new Promise((resolve) => setTimeout(resolve, 1000))]);
    for (const socket of sockets) socket.close();
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended */ }
    await child.status;
    await Deno.remove(file).catch(() => {});
  };
  try {
    const dial = async (port: number, kind: "DEALER" | "SUB") => {
      for (;;) {
        try {
          const socket = await connectZmtp(port, kind);
          sockets.push(socket);
          return socket;
        } catch (error) {
          if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
          await new Promise((resolve) => setTimeout(resolve, 25));
        }
      }
    };
    const start = async () => {
      const iopub = await dial(ports.iopub_port, "SUB");
      const shell = await dial(ports.shell_port, "DEALER");
      const control = await dial(ports.control_port, "DEALER");
      const wire = await messages(key, { iopub, shell, control });
      shutDown = wire.shutDown;
      await wire.settle();
      return wire;
    };
    const wire = await inTime(start(), limitMs, "the kernel did not start");
    return {
      run: (code, { limitMs, signal }) => inTime(wire.execute(code), limitMs, "the cell did not end", signal),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Jupyter messages (jupyter-client.readthedocs.io, “Messaging in Jupyter”, 5.3) over two sockets. */
async function messages(
  key: string,
  { iopub, shell, control }: Readonly<Record<"iopub" | "shell" | "control", ZmtpSocket>>,
) {
  const encoder = new TextEncoder();
  const secret = await crypto.subtle.importKey("raw", encoder.encode(key), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const session = crypto.randomUUID();
  const displays: Displays = new Map();

  const send = async (type: string, content: object, socket = shell): Promise<string> => {
    const id = crypto.randomUUID();
    const header = {
      msg_id: id,
      msg_type: type,
      username: "",
      session,
      date: new Date().toISOString(),
      version: "5.3",
    };
    const parts = [header, {}, {}, content].map((part) => encoder.encode(JSON.stringify(part)));
    const signed = await crypto.subtle.sign("HMAC", secret, await new Blob(parts).arrayBuffer());
    await socket.send([encoder.encode("<IDS|MSG>"), encoder.encode(new Uint8Array(signed).toHex()), ...parts]);
    return id;
  };
  const listen = async (): Promise<Message> => {
    const frames = await iopub.receive();
    if (!frames) return new Promise(() => {}); // closed: the race with the kernel's end decides
    const words = frames.map((frame) => new TextDecoder().decode(frame));
    const [, header, parent, , content] = words.slice(words.indexOf("<IDS|MSG>") + 1);
    return { header: JSON.parse(header!), parent: JSON.parse(parent!), content: JSON.parse(content!) };
  };
  const untilIdle = async (id: string, each: (message: Message) => void) => {
    for (;;) {
      const message = await listen();
      if (
        message.header.msg_type === "status" && message.parent.msg_id === id &&
        message.content.execution_state === "idle"
      ) {
        return;
      }
      each(message);
    }
  };
  const execute = (code: string, silent: boolean) =>
    send("execute_request", {
      code,
      silent,
      store_history: !silent,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: false,
    });

  for (const socket of [shell, control]) {
    (async () => { // answers are not needed, but have to be read
      while (await socket.receive());
    })();
  }
  return {
    async shutDown(): Promise<void> {
      await send("shutdown_request", { restart: false }, control).catch(() => {}); // it may have ended already
    },
    /** A subscriber that is late misses messages: asks until an answer is seen on the side of outputs. */
    async settle(): Promise<void> {
      let seen = false;
      const ask = async () => {
        for (; !seen; await new Promise((resolve) => setTimeout(resolve, 200))) await send("kernel_info_request", {});
      };
      const asking = ask();
      await listen();
      seen = true;
      await asking;
      await this.execute("undefined"); // its marker comes after all that is left of the questions
    },
    async execute(code: string): Promise<Output[]> {
      const outputs = collector(displays);
      await untilIdle(await execute(code, false), outputs.add);
      const marker = crypto.randomUUID();
      const content = JSON.stringify({ data: { [markerType]: marker }, metadata: {}, transient: {} });
      await execute(`await Deno.jupyter.broadcast("display_data", ${content}); undefined`, true);
      for (let message = await listen(); message.content.data?.[markerType] !== marker; message = await listen()) {
        outputs.add(message);
      }
      return outputs.list;
    },
  };
}

/** Where each display with a name stands, in whatever cell, so that it can be updated there. */
type Displays = Map<string, { readonly list: Output[]; readonly at: number }>;

/** Messages → outputs: neighboring text of one stream is one output, updates change what they update. */
function collector(displays: Displays) {
  const list: Output[] = [];
  const add = ({ header, content }: Message): void => {
    switch (header.msg_type) {
      case "stream": {
        const last = list.at(-1);
        const text = stripVTControlCharacters(content.text);
        if (last?.output_type === "stream" && last.name === content.name) {
          list[list.length - 1] = { ...last, text: last.text + text };
        } else list.push({ output_type: "stream", name: content.name, text });
        break;
      }
      case "display_data":
        if (markerType in content.data) break; // the marker of an earlier cell
        if (content.transient?.display_id) displays.set(content.transient.display_id, { list, at: list.length });
        list.push({ output_type: "display_data", data: plain(content.data), metadata: content.metadata ?? {} });
        break;
      case "update_display_data": {
        const place = displays.get(content.transient?.display_id);
        const shown: Output = {
          output_type: "display_data",
          data: plain(content.data),
          metadata: content.metadata ?? {},
        };
        if (place) place.list[place.at] = shown;
        break;
      }
      case "execute_result": {
        const { data, metadata = {}, execution_count } = content;
        list.push({ output_type: "execute_result", data: plain(data), metadata, execution_count });
        break;
      }
      case "error": {
        const { ename, evalue, traceback } = content;
        list.push({ output_type: "error", ename, evalue, traceback });
      }
    }
  };
  return { list, add };
}

/** Without the terminal's colors: what is printed is read on GitHub too, and compared. */
function plain(data: MimeBundle): MimeBundle {
  const text = data["text/plain"];
  return typeof text === "string" ? { ...data, "text/plain": stripVTControlCharacters(text) } : data;
}

function timeout(milliseconds: number, what: string, signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal?.reason ?? new MammolabError("Stopped"));
    signal?.addEventListener("abort", stop, { once: true });
    const timer = setTimeout(
      () =>
        reject(
          new MammolabError(
            `Cannot go on with the notebook: ${what} in ${milliseconds / 1000} s; allow more with --limit`,
          ),
        ),
      milliseconds,
    );
    Deno.unrefTimer(timer);
  });
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}

/** Reads what a process writes, so that a full pipe does not stop it; gives the last line of its errors. */
async function lastWords(child: Deno.ChildProcess): Promise<string> {
  const tail = async (stream: ReadableStream<Uint8Array>) => {
    let text = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) text = (text + chunk).slice(-2000);
    return text;
  };
  const [, errors] = await Promise.all([tail(child.stdout), tail(child.stderr)]);
  const lines = stripVTControlCharacters(errors).trim().split("\n").filter((line) => !line.startsWith("Warning"));
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "").trim();
}
