// A server on this machine that speaks the file API of the Hugging Face hub, over bare TCP so that it can also lie about
// lengths, ranges and hashes, cut a connection at any byte, and stop sending.
import { createHash } from "node:crypto";

/** How one answer differs from a good one. */
export type Twist = {
  /** Closes the connection after so many bytes of the body. */
  readonly cutAfter?: number;
  /** Sends nothing more after so many bytes, and keeps the connection open. */
  readonly stallAfter?: number;
  /** What Content-Length claims. */
  readonly announce?: number;
  readonly status?: number;
  /** Answers a question for a range with everything. */
  readonly ignoreRange?: boolean;
  readonly contentRange?: string;
  readonly body?: Uint8Array;
  readonly redirect?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Pieces of this many bytes with this many milliseconds between. */
  readonly trickle?: { readonly bytes: number; readonly ms: number };
};

/** A question that was asked. */
export type Question = {
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
  /** Which question for this path it is, from 1. */
  readonly count: number;
};

export type HubServer = AsyncDisposable & {
  readonly url: string;
  readonly asked: (Question & { sent: number })[];
  /** Bytes of bodies sent for a file. */
  readonly sentFor: (file: string) => number;
};

export const commit = "0123456789abcdef0123456789abcdef01234567";
export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
export const gitHash = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

const encoder = new TextEncoder();

/** Serves files as the model `owner/name`; `twist` says how each answer lies. */
export function serveHub(
  files: Readonly<Record<string, Uint8Array | string>>,
  twist: (question: Question) => Twist | undefined = () => undefined,
  { model = {} }: { readonly model?: Readonly<Record<string, unknown>> } = {},
): HubServer {
  const contents = new Map(
    Object.entries(files).map(([name, content]) =>
      [name, typeof content === "string" ? encoder.encode(content) : content] as const
    ),
  );
  const description = {
    id: "owner/name",
    sha: commit,
    cardData: { license: "apache-2.0" },
    siblings: [...contents].map(([rfilename, bytes]) => ({
      rfilename,
      size: bytes.length,
      blobId: gitHash(bytes),
      ...rfilename.endsWith(".safetensors")
        ? { lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 134 } }
        : {},
    })),
    ...model,
  };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}`;
  const asked: (Question & { sent: number })[] = [];
  const open = new Set<Deno.TcpConn>();

  const serve = async (connection: Deno.TcpConn) => {
    open.add(connection);
    try {
      const head = await readHead(connection);
      if (!head) return;
      const path = decodeURIComponent(head.split(" ")[1]!.split("?")[0]!);
      const header = (name: string) => new RegExp(`^${name}: *(.*)$`, "im").exec(head)?.[1]?.trim();
      const question = {
        path,
        range: header("range"),
        authorization: header("authorization"),
        count: asked.filter((one) => one.path === path).length + 1,
        sent: 0,
      };
      asked.push(question);
      await answer(connection, question, twist(question) ?? {});
    } catch {
      // the client has gone: it may
    } finally {
      open.delete(connection);
      try {
        connection.close();
      } catch {
        // closed already
      }
    }
  };

  const answer = async (connection: Deno.TcpConn, question: Question & { sent: number }, lie: Twist) => {
    const file = /^\/owner\/name\/resolve\/[0-9a-f]{40}\/(.+)$|^\/cdn\/(.+)$/.exec(question.path);
    const revision = /^\/api\/models\/owner\/name\/revision\/(.+)$/.exec(question.path)?.[1];
    const known = revision === undefined ? undefined : ["main", "v1", commit].includes(revision);
    const content = known
      ? encoder.encode(JSON.stringify(description))
      : file
      ? contents.get(file[1] ?? file[2]!)
      : undefined;
    const from = lie.ignoreRange || !question.range ? 0 : Number(/bytes=(\d+)-/.exec(question.range)![1]);
    const body = lie.body ?? content?.subarray(from) ?? encoder.encode("Not Found");
    const status = lie.redirect ? 302 : lie.status ?? (!content ? 404 : from > 0 ? 206 : 200);
    const headers: Record<string, string> = {
      "content-length": String(lie.redirect ? 0 : lie.announce ?? body.length),
      "x-repo-commit": commit,
      connection: "close",
      ...status === 206
        ? { "content-range": lie.contentRange ?? `bytes ${from}-${content!.length - 1}/${content!.length}` }
        : {},
      ...lie.redirect ? { location: lie.redirect } : {},
      ...lie.headers,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    await writeAll(connection, encoder.encode(`HTTP/1.1 ${status} X\r\n${lines}\r\n`));
    if (lie.redirect) return;
    const end = Math.min(body.length, lie.cutAfter ?? lie.stallAfter ?? body.length);
    const step = lie.trickle?.bytes ?? 65_536;
    for (let at = 0; at < end; at += step) {
      const piece = body.subarray(at, Math.min(end, at + step));
      await writeAll(connection, piece);
      question.sent += piece.length;
      if (lie.trickle) await new Promise((resolve) => setTimeout(resolve, lie.trickle!.ms));
    }
    if (lie.stallAfter !== undefined) await connection.read(new Uint8Array(1)); // until the client goes
  };

  const accepting = (async () => {
    for await (const connection of listener) void serve(connection);
  })();
  return {
    url,
    asked,
    sentFor: (file) => asked.filter(({ path }) => path.endsWith(`/${file}`)).reduce((sum, { sent }) => sum + sent, 0),
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const connection of [...open]) {
        try {
          connection.close();
        } catch {
          // closed already
        }
      }
      await accepting;
    },
  };
}

async function readHead(connection: Deno.TcpConn): Promise<string | undefined> {
  const buffer = new Uint8Array(16_384);
  let at = 0;
  while (at < buffer.length) {
    const read = await connection.read(buffer.subarray(at));
    if (read === null) return undefined;
    at += read;
    const text = new TextDecoder().decode(buffer.subarray(0, at));
    if (text.includes("\r\n\r\n")) return text;
  }
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
