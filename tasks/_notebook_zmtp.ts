// ZeroMQ's wire protocol, as far as a Jupyter client needs it: ZMTP 3.0 with the NULL mechanism over TCP
// (rfc.zeromq.org/spec/23). Two kinds of sockets: DEALER (ask and be answered), SUB (listen to everything).

/** A connection that sends and receives messages of several frames. */
export type ZmtpSocket = {
  readonly send: (frames: readonly Uint8Array[]) => Promise<void>;
  /** The next message; undefined when the other side has closed. */
  readonly receive: () => Promise<Uint8Array[] | undefined>;
  readonly close: () => void;
};

const MORE = 1;
const LONG = 2;
const COMMAND = 4;

/** @throws what `Deno.connect` throws when nobody listens yet */
export async function connectZmtp(port: number, kind: "DEALER" | "SUB"): Promise<ZmtpSocket> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  const read = reader(connection);
  const write = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  };
  try {
    await write(greeting());
    const theirs = await read(64);
    if (theirs?.[0] !== 0xff || theirs[9] !== 0x7f) throw new Error(`port ${port} does not speak ZMTP`);
    await write(frame(ready(kind), COMMAND));
    await readFrame(read); // their READY
    if (kind === "SUB") await write(frame(Uint8Array.of(1), 0)); // subscribe to every topic
  } catch (error) {
    connection.close();
    throw error;
  }
  return {
    async send(frames) {
      for (const [i, body] of frames.entries()) await write(frame(body, i < frames.length - 1 ? MORE : 0));
    },
    async receive() {
      const frames: Uint8Array[] = [];
      for (;;) {
        const found = await readFrame(read);
        if (!found) return undefined;
        if (found.flags & COMMAND) continue; // heartbeats
        frames.push(found.body);
        if (!(found.flags & MORE)) return frames;
      }
    },
    close: () => connection.close(),
  };
}

function greeting(): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3; // version 3.0
  bytes.set(new TextEncoder().encode("NULL"), 12);
  return bytes;
}

/** READY with the socket's type; a DEALER also says its identity, an empty one. */
function ready(kind: "DEALER" | "SUB"): Uint8Array {
  const encoder = new TextEncoder();
  const property = (name: string, value: string) => [
    name.length,
    ...encoder.encode(name),
    ...new Uint8Array(Uint32Array.of(value.length).buffer).toReversed(),
    ...encoder.encode(value),
  ];
  return Uint8Array.from([
    5,
    ...encoder.encode("READY"),
    ...property("Socket-Type", kind),
    ...(kind === "DEALER" ? property("Identity", "") : []),
  ]);
}

function frame(body: Uint8Array, flags: number): Uint8Array {
  const long = body.length > 255;
  const head = new Uint8Array(long ? 9 : 2);
  head[0] = flags | (long ? LONG : 0);
  if (long) new DataView(head.buffer).setBigUint64(1, BigInt(body.length));
  else head[1] = body.length;
  const out = new Uint8Array(head.length + body.length);
  out.set(head);
  out.set(body, head.length);
  return out;
}

type Read = (length: number) => Promise<Uint8Array | undefined>;

async function readFrame(read: Read): Promise<{ flags: number; body: Uint8Array } | undefined> {
  const flags = (await read(1))?.[0];
  if (flags === undefined) return undefined;
  const size = await read(flags & LONG ? 8 : 1);
  if (!size) return undefined;
  const length = flags & LONG ? Number(new DataView(size.buffer).getBigUint64(0)) : size[0]!;
  const body = await read(length);
  return body && { flags, body };
}

/** Reads exactly so many bytes; undefined when the connection ends before. */
function reader(connection: Deno.TcpConn): Read {
  return async (length) => {
    const out = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const count = await connection.read(out.subarray(at)).catch(() => null); // closed here or there: the end
      if (count === null) return undefined;
      at += count;
    }
    return out;
  };
}
