import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, expect, test } from "vitest";
import { createNodeKernel, type NodeRun } from "../../site/kernel/node.ts";
import type { KernelEvent, RunRequest } from "../../site/kernel/protocol.ts";
import { smallEngine } from "./small-engine.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const kernels: { dispose(): void }[] = [];
afterEach(() => {
  for (const kernel of kernels.splice(0)) kernel.dispose();
});

async function freshKernel(onEvent?: (event: KernelEvent) => void, seed = 0) {
  const kernel = await createNodeKernel({ engine: smallEngine(), seed, ...(onEvent ? { onEvent } : {}) });
  kernels.push(kernel);
  const run = (
    cellId: string,
    source: string,
    scope: Record<string, string> = {},
    more: Partial<RunRequest> = {},
  ): Promise<NodeRun> => kernel.run({ cellId, source, scope, publishes: true, check: null, ...more });
  return { ...kernel, run };
}

test("a cell prints, and its last expression is shown", async () => {
  const { run } = await freshKernel();
  const { state, text, items } = await run(
    "first",
    `import * as torch from "torch";\nprint("x is", 1 as number);\ntorch.list(1, 2)`,
  );
  expect(state).toBe("done");
  expect(text).toBe("x is 1\n");
  expect(items.map((item) => item.kind)).toEqual(["text", "tensor"]);
});

test("assignments and undefined show nothing", async () => {
  const { run } = await freshKernel();
  expect((await run("a", "let x = 1;\nx = 2")).items).toEqual([]);
  expect((await run("b", "void 0")).items).toEqual([]);
});

test("names of a cell are live in the cells that take them", async () => {
  const { run } = await freshKernel();
  await run("count", "let n = 0; function bump() { n++ }");
  const { text } = await run("use", "print(n); bump(); print(n)", { n: "count", bump: "count" });
  expect(text).toBe("0\n1\n");
});

test("a module imported above is visible below", async () => {
  const { run } = await freshKernel();
  await run("imports", `import * as torch from "torch"; import { list } from "torch";`);
  expect((await run("use", "print(torch.list(1), list(2))", { torch: "imports", list: "imports" })).text).toBe(
    "list([1]) list([2])\n",
  );
});

test("a function left behind by an earlier run sees the names of the latest", async () => {
  const { run } = await freshKernel();
  await run("a", "const { x, y: [z] } = { x: 1, y: [10] }; let n = 5; class A {} function f() { return x + z + n; }");
  await run("keep", "const old = f", { f: "a" });
  expect((await run("use", "print(old())", { old: "keep" })).text).toBe("16\n");
  await run("a", "const x = 2, z = 20; const n = 6; function f() { return 0; }");
  expect((await run("use", "print(old())", { old: "keep" })).text).toBe("28\n");
});

test("what a cell made before does not stay when it runs again, nor what a failed run made", async () => {
  const { run } = await freshKernel();
  const refs: WeakRef<object>[] = [];
  const remember = (value: object) => refs.push(new WeakRef(value));
  Object.assign(globalThis, { remember });
  for (const end of ["", "", "throw new Error('no')", ""]) {
    await run("a", `const big = new Float64Array(1000); remember(big); ${end}`);
  }
  Reflect.deleteProperty(globalThis, "remember");
  // A weak reference holds on until the turn in which it was made is over.
  await new Promise((resolve) => setTimeout(resolve, 10));
  collectGarbage();
  expect(refs.map((ref) => ref.deref() !== undefined)).toEqual([false, false, false, true]);
});

test("a cell that throws publishes nothing, and takes back what it had published", async () => {
  const { run } = await freshKernel();
  await run("a", "const x = 1");
  await run("a", "const x = 2; throw new Error('no')");
  const { state, error } = await run("b", "print(x)", { x: "a" });
  expect(state).toBe("error");
  expect(error).toMatchObject({
    name: "NameError",
    message: "x is not defined yet",
    definedIn: "a",
    hint: "run the cell a first",
  });
});

test("a name that only a later cell defines is an error that names that cell", async () => {
  const { run } = await freshKernel();
  const { error } = await run("a", "\n  print(later)", {}, { below: { later: "z" } });
  expect(error).toMatchObject({ name: "NameError", definedIn: "z", frames: [{ cellId: "a", line: 2, column: 9 }] });
});

test("an error has its line and column, also to the right of types and of the shown expression", async () => {
  const { run } = await freshKernel();
  const { error } = await run(
    "conv",
    "const f = (x: number): number => {\n  throw new TypeError('no')\n};\n  f(1 as number) as unknown;",
  );
  expect(error).toMatchObject({
    name: "TypeError",
    message: "no",
    frames: [
      { cellId: "conv", line: 2, column: 9, functionName: "f" },
      { cellId: "conv", line: 4, column: 3 },
    ],
  });
});

test("frames name the cell in which each function was written", async () => {
  const { run } = await freshKernel();
  await run("lib", "class Net {\n  forward() { return missing.x }\n}");
  const { error } = await run("use", "const net = new Net();\nnet.forward();", { Net: "lib" });
  expect(error!.frames.map(({ cellId, line, functionName }) => [cellId, line, functionName])).toEqual([
    ["lib", 2, "Net.forward"],
    ["use", 2, ""],
  ]);
});

test("an engine's error keeps its name, its shapes and its hint apart", async () => {
  const { run } = await freshKernel();
  const { error } = await run("a", `import { double } from "torch"; double(1)`);
  expect(error).toMatchObject({
    name: "RuntimeError",
    message: "double(): expected a list",
    hint: "write list(1, 2)",
    shapes: [[2], [3]],
  });
});

test("a syntax error has its place and the cell does not run", async () => {
  const { run } = await freshKernel();
  const { error, text } = await run("a", "print(1)\nconst = 2");
  expect(error).toMatchObject({ name: "SyntaxError", frames: [{ cellId: "a", line: 2, column: 7 }] });
  expect(text).toBe("");
});

test("assigning to another cell's name, or to no name, is refused with the way out", async () => {
  const { run } = await freshKernel();
  await run("a", "let x = 1");
  const owned = await run("b", "x = 2", { x: "a" });
  expect(owned.error!.message).toBe("x belongs to the cell a: other cells can read it, not assign to it");
  const undeclared = await run("c", "y = 2");
  expect(undeclared.error).toMatchObject({ message: "y is not declared", hint: "write let y = …" });
});

test("anything may be thrown", async () => {
  const { run } = await freshKernel();
  expect((await run("a", "throw 'words'")).error).toMatchObject({ name: "Error", message: "thrown: 'words'" });
  expect((await run("b", "throw null")).error!.message).toBe("thrown: null");
  const hostile = await run(
    "c",
    "throw { get message() { throw 1 }, get stack() { throw 2 }, toString() { throw 4 } }",
  );
  expect(hostile.error!.message).toMatch(/cannot be shown/);
});

test("top-level await and dynamic imports of the course's modules work", async () => {
  const { run } = await freshKernel();
  const { text } = await run("a", `const { list } = await import("torch");\nprint(await Promise.resolve(list(3)))`);
  expect(text).toBe("list([3])\n");
  expect((await run("b", `const name = "to" + "ch"; await import(name)`)).error).toMatchObject({
    message: 'no module named "toch"',
    hint: 'did you mean "torch"?',
  });
});

test("checks see the names of the exercise and those it can use", async () => {
  const { run } = await freshKernel();
  await run("data", "const size = 5");
  const check = `
    test("right", () => equal(out, 3));
    test("wrong", () => equal(out, size), "count again");
    test("differs", () => equal([1, [2, 3]], [1, [2, 4]]));
    test("throws", () => { nothing });
    test("waits", async () => { await null; close(0.1 + 0.2, 0.3) });
    test("waits and fails", async () => { await null; close([1, 2], [1, 2.1]) });
    test("shape", () => equal(shapeOf(l), [2]));`;
  const { verdicts, state } = await run(
    "exercise",
    `import { list } from "torch"; const out = size - 2; const l = list(1, 2);`,
    { size: "data" },
    { check, publishes: false },
  );
  expect(state).toBe("done");
  expect(verdicts).toEqual([
    { name: "right", pass: true, message: null },
    { name: "wrong", pass: false, message: "count again" },
    { name: "differs", pass: false, message: "at [1][1]: expected 4, got 3" },
    { name: "throws", pass: false, message: "ReferenceError: nothing is not defined" },
    { name: "waits", pass: true, message: null },
    { name: "waits and fails", pass: false, message: "at [1]: expected 2.1, got 2" },
    { name: "shape", pass: true, message: null },
  ]);
  const after = await run("later", "print(out)", { out: "exercise" });
  expect(after.error!.name).toBe("NameError");
});

test("checks whose own code fails are a failed check, not an error of the reader's code", async () => {
  const { run } = await freshKernel();
  const { verdicts, state, error } = await run("e", "const a = 1", {}, { check: "const b = ;", publishes: false });
  expect({ state, error }).toEqual({ state: "done", error: null });
  expect(verdicts).toMatchObject([{ name: "check", pass: false }]);
});

test("text before a long synchronous stretch is sent at once", async () => {
  const seen: string[] = [];
  let seenDuring = "";
  (globalThis as { look?: () => void }).look = () => {
    seenDuring = seen.join();
  };
  const { run } = await freshKernel((event) => {
    if (event.type === "output" && event.item.kind === "text") seen.push(event.item.text);
    if (event.type === "append") seen.push(event.text);
  });
  await run("a", "print('one'); print('two'); look()");
  expect(seenDuring).toBe("one\n,two\n");
});

test("a flood is cut, counted and sent in batches", async () => {
  const events: KernelEvent[] = [];
  const { run } = await freshKernel((event) => void events.push(event));
  const { items } = await run("a", "for (let i = 0; i < 200000; i++) print('line', i)");
  const shown = items.find((item) => item.kind === "text" && item.stream === "stdout");
  const notice = items.find((item) => item.kind === "text" && item.stream === "stderr");
  expect(shown?.kind === "text" && shown.text.length).toBeLessThanOrEqual(256 * 1024);
  expect(shown?.kind === "text" && shown.text.endsWith("\n")).toBe(true);
  const lines = shown?.kind === "text" ? shown.text.split("\n").length - 1 : 0;
  expect(notice).toMatchObject({ text: expect.stringContaining(`${200000 - lines} more lines not shown`) });
  expect(events.length).toBeLessThan(1000);
});

test("output of timers and callbacks belongs to the cell that wrote them", async () => {
  const { run, events, flush } = await withFlush();
  await run("a", "setTimeout(() => print('late'), 5); setTimeout(() => { throw new Error('later') }, 6); null");
  await new Promise((resolve) => setTimeout(resolve, 40));
  flush();
  const late = events.filter((event) => event.type === "output" && event.cellId === "a");
  expect(late).toMatchObject([
    { item: { kind: "text", text: "late\n" } },
    { item: { kind: "error", error: { message: "later", frames: [{ cellId: "a", line: 1 }] } } },
  ]);
});

async function withFlush() {
  const kernel = await freshKernel();
  return { ...kernel, flush: () => kernel.kernel.flush() };
}

test("output of a function belongs to the cell that calls it", async () => {
  const { run } = await freshKernel();
  await run("lib", "function hello() { print('hi') }");
  expect((await run("use", "hello()", { hello: "lib" })).text).toBe("hi\n");
});

test("runs wait for each other", async () => {
  const { run } = await freshKernel();
  const first = run("a", "await new Promise((done) => setTimeout(done, 20)); const x = 1");
  const second = run("b", "print(x)", { x: "a" });
  expect((await second).text).toBe("1\n");
  expect((await first).state).toBe("done");
});

test("an interrupt ends a run at its next yield and drops what waits behind it", async () => {
  const { run, interrupt } = await freshKernel();
  const first = run("a", `import { yieldNow } from "torch"; for (;;) await yieldNow();`);
  const second = run("b", "print(1)");
  setTimeout(interrupt, 20);
  expect((await first).state).toBe("stopped");
  expect(await second).toMatchObject({ state: "stopped", text: "" });
  expect((await run("c", "print(2)")).text).toBe("2\n");
});

test("tqdm shows one bar with its metrics and lets an interrupt through", async () => {
  const { run, interrupt } = await freshKernel();
  const { items } = await run(
    "a",
    "const bar = tqdm([1, 2, 3], { desc: 'epoch' }); for await (const x of bar) bar.setPostfix({ loss: x / 2 })",
  );
  expect(items).toMatchObject([{ kind: "progress", label: "epoch", done: 3, total: 3, metrics: { loss: 1.5 } }]);
  const endless = run("b", "for await (const i of tqdm(1e12)) {}");
  setTimeout(interrupt, 30);
  expect((await endless).state).toBe("stopped");
});

test("records name the cell and the line, and only the first of a line are kept", async () => {
  const { run, kernel } = await freshKernel();
  await run(
    "a",
    `import { double, list } from "torch";\nfor (let i = 0; i < 100; i++)\n  double(list(i));\ndouble(list(7, 7))`,
  );
  const records = kernel.recordsOf("a");
  expect(records).toHaveLength(17);
  expect(records[0]).toMatchObject({ cellId: "a", line: 3, inputShape: [1] });
  expect(records.at(-1)).toMatchObject({ line: 4, inputShape: [2] });
  await run("a", "1");
  expect(kernel.recordsOf("a")).toEqual([]);
});

test("a what-if runs the engine's own operation on copies, and gives its error", async () => {
  const { run, kernel } = await freshKernel();
  await run("a", `import { double, list } from "torch";\ndouble(list(1, 2))`);
  const [record] = kernel.recordsOf("a");
  const answer = kernel.whatIf({ recordId: record!.id, attrs: {}, values: { input: { shape: [1], data: [5] } } });
  expect(answer).toMatchObject({
    ok: true,
    code: "double(list(5))",
    record: { output: { data: Float32Array.from([10]) } },
  });
  expect(kernel.whatIf({ recordId: record!.id, attrs: {}, values: { input: { shape: [0], data: [] } } })).toMatchObject(
    {
      ok: false,
      error: { name: "RuntimeError", message: "double(): empty" },
    },
  );
  expect(kernel.recordsOf("a")).toHaveLength(1);
  expect(kernel.whatIf({ recordId: 999, attrs: {}, values: {} })).toMatchObject({ ok: false });
});

test("a fresh kernel is seeded", async () => {
  const { run } = await freshKernel(undefined, 42);
  expect((await run("a", `import { currentSeed } from "torch"; print(currentSeed())`)).text).toBe("42\n");
});

test("console writes to the cell, warnings apart", async () => {
  const { run } = await freshKernel();
  const { items } = await run("a", "console.log('out'); console.error('err')");
  expect(items).toMatchObject([
    { stream: "stdout", text: "out\n" },
    { stream: "stderr", text: "err\n" },
  ]);
});

test("an unhandled rejection is shown in the cell it comes from", async () => {
  const { run, events, flush } = await withFlush();
  await run("a", "\nconst p = (async () => { await null; throw new Error('lost') })();");
  await new Promise((resolve) => setTimeout(resolve, 20));
  flush();
  expect(events.filter((event) => event.type === "output")).toMatchObject([
    { cellId: "a", item: { kind: "error", error: { message: "lost", frames: [{ line: 2 }] } } },
  ]);
});

/** The small engine with a GPU that has things to say. */
async function withDevices() {
  const log: string[] = [];
  let trouble: Error | null = null;
  const engine = smallEngine();
  engine.chooseDevice = async (device) => {
    log.push(device);
    return device === "webgpu" && trouble !== null ? "lost" : null;
  };
  engine.settle = async () => {
    const error = trouble;
    trouble = null;
    if (error) throw error;
  };
  const node = await createNodeKernel({ engine });
  kernels.push(node);
  const run = (cellId: string, source: string, more: Partial<RunRequest> = {}): Promise<NodeRun> =>
    node.run({ cellId, source, scope: {}, publishes: true, check: null, ...more });
  const fail = (message: string): void => {
    trouble = new Error(message);
  };
  return { ...node, run, log, fail };
}

test("another device is chosen when the running cell has ended", async () => {
  const { run, kernel, log } = await withDevices();
  const running = run("a", "await new Promise((done) => setTimeout(done, 20)); print('end')").then(() =>
    log.push("ran"),
  );
  const chosen = kernel.configure({ seed: 0, device: "webgpu", memoryBudget: 1 });
  expect(await chosen).toBe(null);
  await running;
  expect(log).toEqual(["ran", "webgpu"]);
});

test("a cell with a device of its own runs there, and the next one where the lesson runs", async () => {
  const { run, kernel, log } = await withDevices();
  await kernel.configure({ seed: 0, device: "cpu", memoryBudget: 1 });
  await run("a", "print(1)", { device: "webgpu" });
  await run("b", "print(2)");
  expect(log).toEqual(["cpu", "webgpu", "cpu"]);
});

test("a GPU's late error ends the cell whose work it was, with nothing published", async () => {
  const { run, fail } = await withDevices();
  const running = run("a", "const x = 1; await new Promise((done) => setTimeout(done, 20)); print('sent')");
  setTimeout(() => fail("out of memory on the GPU"), 5);
  expect(await running).toMatchObject({
    state: "error",
    error: { message: "out of memory on the GPU" },
    text: "sent\n",
  });
  expect(await run("b", "print(x)", { scope: { x: "a" } })).toMatchObject({
    state: "error",
    error: { name: "NameError" },
  });
});

test("an error of the GPU between two cells is told by the earlier one, and the next one runs", async () => {
  const { run, fail, events } = await withDevices();
  await run("a", "print(1)");
  fail("the device was lost");
  expect(await run("b", "print(2)")).toMatchObject({ state: "done", text: "2\n" });
  const errors = events.filter((event) => event.type === "output" && event.item.kind === "error");
  expect(errors).toMatchObject([{ cellId: "a", item: { error: { message: "the device was lost" } } }]);
});
