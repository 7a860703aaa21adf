// Headless Chromium over its debugging protocol, as far as the tests of pages need it; no package.

/** What a page did. */
export type PageRecord = {
  /** Everything in the console: messages, warnings, errors, refusals of the page's policy, exceptions. */
  readonly console: readonly string[];
  /** Addresses that the page asked for, itself and data URIs excepted. */
  readonly requests: readonly string[];
  /** Dialogs that a script opened. */
  readonly dialogs: readonly string[];
};

export type Browser = AsyncDisposable & {
  /** Opens a page and waits until nothing is drawn any more. */
  readonly open: (url: string) => Promise<PageRecord>;
  /** Value of an expression in the page. */
  readonly evaluate: (expression: string) => Promise<unknown>;
  readonly screenshot: () => Promise<Uint8Array<ArrayBuffer>>;
};

type Reply = {
  id?: number;
  method?: string;
  params?: Record<string, never>;
  result?: Record<string, never>;
  error?: unknown;
};

/** Starts Chromium, or says in one line why not and gives undefined. */
export async function openBrowser({ width = 1200, height = 900 } = {}): Promise<Browser | undefined> {
  const profile = await Deno.makeTempDir({ prefix: "mammolab-chromium-" });
  let child: Deno.ChildProcess;
  try {
    const args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"];
    args.push(
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      `--window-size=${width},${height}`,
      "about:blank",
    );
    child = new Deno.Command("chromium", { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
  } catch {
    await Deno.remove(profile, { recursive: true });
    // deno-lint-ignore no-console -- the one line that says what was not tested
    console.log("skipped: no Chromium on this machine (the command `chromium` was not found)");
    return undefined;
  }
  const port = await debuggingPort(child.stderr);
  const pages: { webSocketDebuggerUrl: string; type: string }[] = await (await fetch(`http://127.0.0.1:${port}/json`))
    .json();
  const socket = new WebSocket(pages.find(({ type }) => type === "page")!.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => [socket.onopen, socket.onerror] = [resolve, reject]);

  let last = 0;
  const replies = new Map<number, (reply: Reply) => void>();
  let record = { console: [] as string[], requests: [] as string[], dialogs: [] as string[] };
  let loaded = () => {};
  const send = async (method: string, params: unknown = {}) => {
    const id = ++last;
    const reply = await new Promise<Reply>((resolve) => {
      replies.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
    if (reply.error) throw new Error(`${method}: ${JSON.stringify(reply.error)}`);
    // deno-lint-ignore no-explicit-any -- the protocol's own shapes
    return reply.result as any;
  };
  socket.onmessage = ({ data }) => {
    const message: Reply = JSON.parse(data);
    if (message.id !== undefined) return replies.get(message.id)?.(message);
    // deno-lint-ignore no-explicit-any -- the protocol's own shapes
    const params = message.params as any;
    if (message.method === "Page.loadEventFired") loaded();
    if (message.method === "Log.entryAdded") record.console.push(params.entry.text);
    if (message.method === "Runtime.exceptionThrown") {
      record.console.push(params.exceptionDetails.exception?.description);
    }
    if (message.method === "Runtime.consoleAPICalled") {
      record.console.push(params.args.map((arg: { value: unknown }) => arg.value).join(" "));
    }
    if (message.method === "Page.javascriptDialogOpening") {
      record.dialogs.push(params.message);
      send("Page.handleJavaScriptDialog", { accept: false });
    }
    if (message.method === "Network.requestWillBeSent" && !params.request.url.startsWith("data:")) {
      record.requests.push(params.request.url);
    }
  };
  for (const domain of ["Page", "Log", "Runtime", "Network"]) await send(`${domain}.enable`);

  return {
    async open(url) {
      record = { console: [], requests: [], dialogs: [] };
      const done = new Promise<void>((resolve) => loaded = resolve);
      await send("Page.navigate", { url });
      await done;
      // plotly draws in promises and frames: two frames later all is there
      const frames = "new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r, 100))))";
      await send("Runtime.evaluate", { expression: frames, awaitPromise: true });
      return { ...record, requests: record.requests.filter((address) => address !== url) };
    },
    async evaluate(expression) {
      const { result, exceptionDetails } = await send("Runtime.evaluate", {
        expression,
        returnByValue: true,
        awaitPromise: true,
      });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    },
    async screenshot() {
      return Uint8Array.fromBase64((await send("Page.captureScreenshot", { format: "png" })).data);
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => socket.onclose = resolve);
      socket.send(JSON.stringify({ id: ++last, method: "Browser.close" }));
      await closed;
      await child.status;
      await Deno.remove(profile, { recursive: true }).catch(() => {}); // Chromium's last helpers may still write
    },
  };
}

async function debuggingPort(stderr: ReadableStream<Uint8Array>): Promise<number> {
  const reader = stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    text += value ?? "";
    const port = /DevTools listening on ws:\/\/[^:]+:(\d+)/.exec(text)?.[1];
    if (port) {
      (async () => { // read on, else a full pipe stops Chromium
        while (!(await reader.read()).done);
      })().catch(() => {});
      return Number(port);
    }
    if (done) throw new Error(`Chromium ended: ${text.slice(-500)}`);
  }
}
