/** What hostile or careless cells can do to the page: nothing. Attacks are cells, run in real Chromium. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { RunResult } from "../../site/kernel/protocol.ts";
import { openStage, type Stage } from "./isolation-browser.ts";

// A machine that also builds something else takes seconds to start a worker.
vi.setConfig({ testTimeout: 30_000 });

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 60_000);
afterAll(() => stage?.close());

interface Run {
  result: RunResult;
  text: string;
}

let cells = 0;

/** Runs a cell of its own name; what it printed comes with the result. */
function run(source: string, scope: Record<string, string> = {}, cellId = `cell-${++cells}`): Promise<Run> {
  return stage.page.evaluate(
    async ([id, text, names]) => {
      window.events.length = 0;
      const result = await window.runCell(id, text, names);
      return { result, text: window.textOf(id) };
    },
    [cellId, source, scope] as const,
  );
}

test("the worker has nothing of the page: no document, parent, storage, network, other workers or way to speak", async () => {
  const names = [
    ...["window", "document", "parent", "top", "opener", "frames", "location", "origin"],
    ...["indexedDB", "caches", "localStorage", "sessionStorage", "cookieStore", "FileSystemFileHandle", "Cache"],
    ...[
      "fetch",
      "Request",
      "Response",
      "XMLHttpRequest",
      "WebSocket",
      "WebSocketStream",
      "EventSource",
      "WebTransport",
    ],
    ...["importScripts", "Worker", "SharedWorker", "BroadcastChannel", "RTCPeerConnection", "FontFace", "Notification"],
    ...[
      "postMessage",
      "onmessage",
      "onmessageerror",
      "close",
      "name",
      "webkitRequestFileSystem",
      "PushManager",
      "SharedArrayBuffer",
    ],
  ];
  const { text } = await run(
    `let object = globalThis; const found = [];
     for (const name of ${JSON.stringify(names)}) {
       for (let at = globalThis; at; at = Object.getPrototypeOf(at)) if (name in at && at[name] !== undefined) { found.push(name); break }
     }
     print(found.join(" ") || "nothing")`,
  );
  expect(text).toBe("nothing\n");
});

test("the wall holds even without the lock: a worker that keeps everything can reach neither network nor storage", async () => {
  const outcome = await stage.page.evaluate(async (origin) => {
    const attack = `
      const attempt = async (act) => { try { return "got " + String(await act()).slice(0, 40) } catch (error) { return "refused" } };
      const socket = () => new Promise((resolve, reject) => { const s = new WebSocket(origin.replace("http", "ws") + "/stolen-socket"); s.onopen = () => resolve("open"); s.onerror = reject; });
      const xhr = () => new Promise((resolve, reject) => { const x = new XMLHttpRequest(); x.open("GET", origin + "/stolen-xhr"); x.onload = () => resolve(x.status); x.onerror = reject; x.send(); });
      const nested = () => new Promise((resolve, reject) => { const w = new Worker(origin + "/stolen-worker.js"); w.onmessage = resolve; w.onerror = reject; });
      const database = () => new Promise((resolve, reject) => { const r = indexedDB.open("x"); r.onsuccess = () => resolve("open"); r.onerror = reject; });
      const origin = ${JSON.stringify(origin)};
      export async function start(options, ports) {
        const results = {
          origin: self.origin,
          fetch: await attempt(() => fetch(origin + "/stolen-fetch")),
          beacon: await attempt(() => fetch(origin + "/stolen-beacon", { mode: "no-cors", keepalive: true })),
          xhr: await attempt(xhr), socket: await attempt(socket), nested: await attempt(nested),
          source: await attempt(() => new Promise((resolve, reject) => { const s = new EventSource(origin + "/stolen-events"); s.onopen = resolve; s.onerror = reject; })),
          module: await attempt(() => import(origin + "/stolen-module.js")),
          dataModule: await attempt(() => import("data:text/javascript,export default 1")),
          scripts: await attempt(() => importScripts(origin + "/stolen-script.js")),
          indexedDB: await attempt(database), caches: await attempt(() => caches.open("x")),
          files: await attempt(() => navigator.storage.getDirectory()),
          locks: await attempt(() => navigator.locks.request("x", () => "held")),
          eval: await attempt(() => eval("1")), Function: await attempt(() => new Function("return 1")()),
        };
        ports[1].postMessage({ kind: "failed", message: JSON.stringify(results) });
      }`;
    const client = window.makeClient({ kernelText: async () => attack });
    return client.start().then(
      () => "started",
      (error: Error) => error.message,
    );
  }, stage.origin);
  const results = JSON.parse(outcome.slice(outcome.indexOf("{"))) as Record<string, string>;
  expect(results.origin).toBe("null");
  const allowed = Object.entries(results).filter(([name, result]) => name !== "origin" && result !== "refused");
  expect(allowed).toEqual([]);
  expect(stage.requested.filter((path) => path.includes("stolen"))).toEqual([]);
});

test("imports from the network are refused before and during the run", async () => {
  const { result } = await run(`import x from "${stage.origin}/stolen-import.js"`);
  expect(result.error!.message).toMatch(/cannot import/);
  const dynamic = await run(
    `for (const url of ["${stage.origin}/stolen.js", "data:text/javascript,export default 1", "./x.js", "blob:null/1"])
       await import(url + "").catch((error) => print(error.message.split("\\n")[0]));`,
  );
  expect(dynamic.text).toBe(
    [`${stage.origin}/stolen.js`, "data:text/javascript,export default 1", "./x.js", "blob:null/1"]
      .map((url) => `no module named "${url}"\n`)
      .join(""),
  );
  expect(stage.requested.filter((path) => path.includes("stolen"))).toEqual([]);
});

test("no text becomes code", async () => {
  const { text } = await run(
    `for (const make of [() => eval("1"), () => new Function("return 1")(), () => (async () => {}).constructor("1")(), () => setTimeout("print('timer')", 0)])
       try { print(make()) } catch (error) { print(error.name) }`,
  );
  expect(text.split("\n").slice(0, 3)).toEqual(["EvalError", "EvalError", "EvalError"]);
});

test("a cell cannot replace what the kernel works with, and what it can change does no harm", async () => {
  const attack = `
    const loot = [];
    const tries = [
      () => { MessagePort.prototype.postMessage = function () { loot.push(this) } },
      () => { Object.defineProperty(MessagePort.prototype, "onmessage", { set() { loot.push(this) } }) },
      () => { EventTarget.prototype.addEventListener = function () { loot.push(this) } },
      () => { Promise.prototype.then = function (f) { loot.push(f) } },
      () => { Object.defineProperty(Object.prototype, "then", { get() { loot.push(this) } }) },
      () => { Object.defineProperty(Object.prototype, "kind", { set() { loot.push(this) } }) },
      () => { Object.defineProperty(Array.prototype, "0", { set() { loot.push(this) } }) },
      () => { Array.prototype.push = () => { throw new Error("push") } },
      () => { Array.prototype[Symbol.iterator] = function* () { loot.push(this) } },
      () => { Object.getPrototypeOf([][Symbol.iterator]()).next = function () { loot.push(this); return { done: true } } },
      () => { Map.prototype.get = function () { loot.push(this) } },
      () => { Map.prototype.set = function () { loot.push(this) } },
      () => { Function.prototype.call = function () { loot.push(this) } },
      () => { Function.prototype.apply = function () { loot.push(this) } },
      () => { String.prototype.split = () => { throw new Error("split") } },
      () => { RegExp.prototype.exec = () => null },
      () => { Object.keys = () => [] },
      () => { Object.entries = () => [] },
      () => { Reflect.deleteProperty = () => false },
      () => { JSON.stringify = () => "{}" },
      () => { Error.prepareStackTrace = (error, sites) => { loot.push(sites) } },
      () => { Error.stackTraceLimit = 0 },
      () => { globalThis.Promise = class {} },
      () => { globalThis.Map = class {} },
      () => { globalThis.Error = class {} },
      () => { globalThis.Blob = class { constructor(text) { loot.push(text) } } },
      () => { URL.createObjectURL = (blob) => { loot.push(blob) } },
      () => { performance.now = () => NaN },
      () => { Date.now = () => NaN },
      () => { Symbol.for = () => 1 },
      () => { crypto.randomUUID = () => "guessed" },
      () => { Error.prototype.toString = () => { throw 1 } },
      () => { Object.prototype.toString = () => { throw 1 } },
      () => { Object.prototype.valueOf = () => { throw 1 } },
    ];
    for (const attempt of tries) try { attempt() } catch {}
    function stolen() { return loot.length }`;
  await run(attack, {}, "attack");
  const after = await run("print('still here', stolen()); const z = 1; null.x", { stolen: "attack" });
  expect(after.text).toBe("still here 0\n");
  expect(after.result).toMatchObject({
    state: "error",
    error: { name: "TypeError", frames: [{ line: 1, column: 50 }] },
  });
  expect((await run("print(stolen())", { stolen: "attack" })).text).toBe("0\n");
  expect((await run("const a = await new Promise((r) => setTimeout(() => r(2), 1)); print(a)")).text).toBe("2\n");
  await stage.page.evaluate(() => window.client.restart());
});

test("a cell cannot forge what the kernel says", async () => {
  await run(
    `const forged = { kind: "events", batch: 1, events: [{ type: "cell-state", generation: 1, runId: 1, cellId: "victim", state: "done", ms: 0 }] };
     try { self.postMessage(forged) } catch {}
     try { globalThis.postMessage(forged, "*") } catch {}
     try { new MessageChannel().port1.postMessage(forged) } catch {}
     try { dispatchEvent(new MessageEvent("message", { data: forged })) } catch {}
     try { dispatchEvent(new ErrorEvent("error", { error: new Error("fake") })) } catch {}`,
  );
  const forged = await stage.page.evaluate(() =>
    window.events.filter((event) => "cellId" in event && event.cellId === "victim"),
  );
  expect(forged).toEqual([]);
  expect((await run("print(1)")).text).toBe("1\n");
});

test("the kernel's own module gives a cell that finds it nothing", async () => {
  const { text } = await run(`print(String(new Error().stack).includes("blob:"))`);
  expect(text).toBe("false\n");
});

test("an endless loop is stopped within a second, and the page runs the next cell", async () => {
  const outcome = await stage.page.evaluate(async () => {
    window.events.length = 0;
    const running = window.runCell("endless", "while (true) {}");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const began = performance.now();
    const { killed } = await window.client.stop();
    const result = await running;
    const took = performance.now() - began;
    const states = window.events.filter((event) => event.type === "cell-state").map((event) => event.state);
    const next = await window.runCell("next", "print('alive')");
    return {
      killed,
      took,
      state: result.state,
      states,
      next: next.state,
      text: window.textOf("next"),
      kernel: window.client.state,
    };
  });
  expect(outcome).toMatchObject({ killed: true, state: "stopped", next: "done", text: "alive\n", kernel: "ready" });
  expect(outcome.states).toEqual(["running", "stopped"]);
  expect(outcome.took).toBeLessThan(1000);
});

test("a cell that yields is stopped without losing the names of others", async () => {
  await run("const kept = 7", {}, "keeper");
  const outcome = await stage.page.evaluate(async () => {
    const running = window.runCell("patient", "for await (const i of tqdm(1e9)) {}");
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { killed } = await window.client.stop();
    return { killed, state: (await running).state };
  });
  expect(outcome).toEqual({ killed: false, state: "stopped" });
  expect((await run("print(kept)", { kept: "keeper" })).text).toBe("7\n");
});

test("a flood of prints leaves the page at work, shows a share and counts the rest", async () => {
  const outcome = await stage.page.evaluate(async () => {
    window.events.length = 0;
    let frames = 0;
    const count = (): void => {
      frames++;
      requestAnimationFrame(count);
    };
    requestAnimationFrame(count);
    const running = window.runCell("flood", "while (true) print('again and again')");
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const during = frames;
    await window.client.stop();
    await running;
    const stderr = window.events.flatMap((event) =>
      event.type === "output" && event.item.kind === "text" && event.item.stream === "stderr" ? [event.item.text] : [],
    );
    return { during, length: window.textOf("flood").length, events: window.events.length, notice: stderr.at(-1) ?? "" };
  });
  expect(outcome.during).toBeGreaterThan(10);
  expect(outcome.length).toBeLessThan(300 * 1024);
  expect(outcome.events).toBeLessThan(2000);
  expect(outcome.notice).toMatch(/more lines not shown/);
});

test("text printed before a long synchronous stretch is on the page while that goes on", async () => {
  const outcome = await stage.page.evaluate(async () => {
    window.events.length = 0;
    const began = performance.now();
    const running = window.runCell(
      "long",
      "print('begun'); const end = performance.now() + 1500; while (performance.now() < end);",
    );
    while (window.textOf("long") === "" && performance.now() - began < 1400)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const seenAfter = performance.now() - began;
    await running;
    return { seenAfter, text: window.textOf("long") };
  });
  expect(outcome.text).toBe("begun\n");
  expect(outcome.seenAfter).toBeLessThan(1200);
});

test("values that defend themselves are shown as far as possible and never break a run", async () => {
  const sources = [
    "({ get a() { throw 1 }, toString() { throw 2 } })",
    "new Proxy({}, { get() { throw 1 }, ownKeys() { throw 2 }, getPrototypeOf() { throw 3 } })",
    "new Proxy(function () {}, { get() { throw 1 } })",
    "[{ get a() { throw 1 } }]",
    "Object.create(null)",
    "Symbol('s')",
    "10n",
    "(() => { const loop = []; loop.push(loop); return loop })()",
    "'x'.repeat(5e6)",
    "print('y'.repeat(5e7))",
  ];
  for (const source of sources) {
    const { result } = await run(source);
    expect(["done", "error"], source).toContain(result.state);
  }
  const thrown = await run("throw new Proxy({}, { get() { throw 1 } })");
  expect(thrown.result).toMatchObject({ state: "error", error: { name: "Error" } });
  expect((await run("print('fine')")).text).toBe("fine\n");
}, 30_000);

test("closing itself is not in a cell's power", async () => {
  const { result } = await run("self.close()");
  expect(result.error!.message).toMatch(/not a function/);
  expect((await run("print(2)")).text).toBe("2\n");
});

test("errors of timers and lost rejections appear in the cell that they come from", async () => {
  await run(
    "setTimeout(() => {\n  throw new Error('late') }, 5);\nglobalThis.setTimeout(() => { throw new Error('later') }, 10);\nPromise.reject(new Error('lost'));\nnull",
    {},
    "timers",
  );
  await stage.page.waitForFunction(
    () => window.events.filter((event) => event.type === "output" && event.item.kind === "error").length >= 3,
  );
  const errors = await stage.page.evaluate(() =>
    window.events.flatMap((event) =>
      event.type === "output" && event.item.kind === "error"
        ? [[event.cellId, event.item.error.message, event.item.error.frames[0]?.line]]
        : [],
    ),
  );
  expect(errors.toSorted()).toEqual([
    ["timers", "late", 2],
    ["timers", "later", 3],
    ["timers", "lost", 4],
  ]);
});

test("a request to a kernel that ends is rejected, not left hanging", async () => {
  const outcome = await stage.page.evaluate(async () => {
    const running = window.runCell("busy", "while (true) {}");
    await new Promise((resolve) => setTimeout(resolve, 50));
    const asked = window.client.api.record(1).then(
      () => "answered",
      (error: Error) => error.name,
    );
    await window.client.restart();
    return { asked: await asked, run: (await running).state };
  });
  expect(outcome).toEqual({ asked: "KernelGoneError", run: "stopped" });
});

test("late words of a dead kernel are dropped", async () => {
  const outcome = await stage.page.evaluate(async () => {
    await window.runCell("ghost", "setInterval(() => print('boo'), 1)");
    await window.client.restart();
    window.events.length = 0;
    await window.runCell("living", "await new Promise((r) => setTimeout(r, 60))");
    return window.events.filter((event) => "cellId" in event && event.cellId === "ghost").length;
  });
  expect(outcome).toBe(0);
});

test("a kernel whose frame goes is dead, says so, and can be restarted", async () => {
  const outcome = await stage.page.evaluate(async () => {
    window.events.length = 0;
    const running = window.runCell("doomed", "await new Promise(() => {})").then(
      () => "ended",
      (error: Error) => error.name,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const frame of document.querySelectorAll("iframe")) frame.remove();
    const result = await running;
    const dead = window.client.state;
    const refused = await window.runCell("x", "1").catch((error: Error) => error.name);
    await window.client.restart();
    const after = await window.runCell("reborn", "print(3)");
    return { result, dead, refused, after: after.state };
  });
  expect(outcome).toEqual({ result: "KernelGoneError", dead: "dead", refused: "KernelGoneError", after: "done" });
});

test("a kernel that cannot start gives a clear error within its time", async () => {
  const outcome = await stage.page.evaluate(async () => {
    const failure = (kernelText: () => Promise<string>, startTimeout = 15_000): Promise<string> =>
      window
        .makeClient({ kernelText, startTimeout })
        .start()
        .then(
          () => "started",
          (error: Error) => `${error.name}: ${error.message}`,
        );
    return [
      await failure(() => Promise.reject(new Error("/kernel.js answered 404"))),
      await failure(async () => "export function start() {}", 800),
      await failure(async () => "export function start() { throw new Error('broken engine') }"),
      await failure(async () => "syntax error"),
    ];
  });
  expect(outcome[0]).toBe("KernelStartError: the kernel could not start: /kernel.js answered 404");
  expect(outcome[1]).toMatch(
    /^KernelStartError: the kernel did not start within 0.8 s: the browser or an extension may block it/,
  );
  expect(outcome[2]).toBe("KernelStartError: the kernel could not start: broken engine");
  expect(outcome[3]).toMatch(/^KernelStartError: the kernel could not start: /);
});

test("configuration and data sets outlive the kernel that they were given to", async () => {
  const outcome = await stage.page.evaluate(async () => {
    await window.client.api.configure({ seed: 11, device: "cpu", memoryBudget: 1e9 });
    await window.client.api.loadDataset({ name: "standin", train: null, test: null, atlas: new ArrayBuffer(8) });
    await window.client.restart();
    await window.runCell("seeded", `import { currentSeed } from "torch"; print(currentSeed())`);
    return { text: window.textOf("seeded"), status: await window.client.api.status() };
  });
  expect(outcome).toMatchObject({ text: "11\n", status: { dataset: "standin" } });
});
