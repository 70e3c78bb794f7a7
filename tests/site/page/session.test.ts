/** The session over a real kernel in Node: what runs first, what goes stale, what Stop leaves. */
import { afterEach, expect, test } from "vitest";
import { LessonModel } from "../../../site/components/model.ts";
import { Session, type SessionHooks } from "../../../site/components/session.ts";
import { createNodeKernel, type NodeKernel } from "../../../site/kernel/node.ts";
import type { KernelClient, KernelEvent, KernelState, RunResult } from "../../../site/kernel/protocol.ts";
import type { CellSpec, ExerciseSpec } from "../../../site/lesson/types.ts";

/** The page's client, with the kernel in this process instead of a worker. */
class NodeClient extends EventTarget {
  state: KernelState = "ready";
  generation = 1;
  readonly kernel: NodeKernel;
  readonly #listeners = new Set<(event: KernelEvent) => void>();
  #seen = 0;

  constructor(kernel: NodeKernel) {
    super();
    this.kernel = kernel;
  }

  async run(request: Parameters<KernelClient["run"]>[0]): Promise<RunResult> {
    const result = await this.kernel.run(request);
    for (const event of this.kernel.events.slice(this.#seen)) for (const listener of this.#listeners) listener(event);
    this.#seen = this.kernel.events.length;
    return result;
  }

  async stop(): Promise<{ killed: boolean }> {
    this.kernel.interrupt();
    return { killed: false };
  }

  async start(): Promise<void> {}
  async restart(): Promise<void> {}

  onEvent(listener: (event: KernelEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

const kernels: NodeKernel[] = [];
afterEach(() => {
  for (const kernel of kernels.splice(0)) kernel.dispose();
});

async function open(sources: Record<string, string>, steps: string[] = [], leftOut: string[] = []) {
  const specs = Object.entries(sources).map(
    ([id, source], index): CellSpec => ({
      id,
      source,
      line: 10 * (index + 1),
      hidden: false,
      readonly: false,
      auto: false,
      steps: steps.includes(id),
      tol: null,
      device: null,
      twin: null,
      output: null,
    }),
  );
  const kernel = await createNodeKernel();
  kernels.push(kernel);
  const model = new LessonModel(specs);
  const log: string[] = [];
  const hooks: SessionHooks = {
    event: (event) => {
      if (event.type === "output" && event.item.kind === "text") log.push(event.item.text.trim());
    },
    prepare: async () => {},
    begin: (id) => log.push(`begin ${id}`),
    end: (id, result) => log.push(`${result.state} ${id}`),
    leavesOut: (id) => leftOut.includes(id),
    confirmLong: async (id) => {
      log.push(`ask ${id}`);
      return false;
    },
    unmet: (id, failed) =>
      ({ state: failed ? "error" : "stopped", ms: 0, verdicts: null, error: null, unmet: id }) as RunResult,
    lost: () => {},
    needed: (id, first) => log.push(`${id} needs ${first.join(" ")}`),
    failed: (error) => log.push(`failed ${error.message}`),
  };
  const session = new Session(model, new NodeClient(kernel) as unknown as KernelClient, hooks);
  return { model, session, log };
}

test("a cell runs what it needs above it first, and nothing else", async () => {
  const { session, model, log } = await open({
    a: "const x = 2;",
    other: "print('no')",
    b: "const y = x * 3;",
    c: "print(y)",
  });
  await session.run("c");
  expect(log).toEqual(["c needs a b", "begin a", "done a", "begin b", "done b", "begin c", "6", "done c"]);
  expect(model.cell("other").state).toBe("recorded");
});

test("what is fresh isn't run again; what was edited is, with everything in between", async () => {
  const { session, log } = await open({ a: "const x = 2;", b: "const y = x * 3;", c: "print(y)" });
  await session.run("c");
  log.length = 0;
  await session.run("c");
  expect(log).toEqual(["begin c", "6", "done c"]);
  log.length = 0;
  session.edit("a", "const x = 5;");
  await session.run("c");
  expect(log).toEqual(["c needs a b", "begin a", "done a", "begin b", "done b", "begin c", "15", "done c"]);
});

test("an edit marks the cells below that depend on it, with the reason", async () => {
  const { session, model } = await open({ a: "const x = 2;", b: "print(x)", c: "print(1)" });
  await session.runAll();
  session.edit("a", "const x = 3;");
  expect(model.cell("a").reason).toEqual({ kind: "edited" });
  expect(model.cell("b").reason).toEqual({ kind: "upstream", cell: "a" });
  expect(model.cell("c").state).toBe("done");
});

test("running a cell again makes what had used its names stale", async () => {
  const { session, model } = await open({ a: "const x = 2;", b: "print(x)" });
  await session.run("b");
  await session.run("a");
  expect(model.cell("a").state).toBe("done");
  expect(model.cell("b").reason).toEqual({ kind: "upstream", cell: "a" });
});

test("when a needed cell fails, what waits for it goes back to what it was", async () => {
  const { session, model, log } = await open({ a: "const x = null.y;", b: "print(x)" });
  await session.run("b");
  expect(log.slice(0, 3)).toEqual(["b needs a", "begin a", "error a"]);
  expect(model.cell("a").state).toBe("error");
  expect(model.cell("b").state).toBe("recorded");
});

test("run all stops at the first error and leaves the rest as it was", async () => {
  const { session, model } = await open({ a: "print(1)", b: "throw new Error('no')", c: "print(3)" });
  await session.runAll();
  expect(model.cells.map((cell) => cell.state)).toEqual(["done", "error", "recorded"]);
});

test("a running cell that is asked for again is not left running when the wait is given up", async () => {
  const { session, model } = await open({ a: "await new Promise((go) => setTimeout(go, 50))", b: "print(1)" });
  const first = session.runAll();
  // This client tells of a beginning only with the end; the page's tells at once.
  model.begin("a", "running");
  const again = session.runAll();
  expect(model.cell("a").state).toBe("running");
  await session.restart();
  await Promise.all([first, again]);
  await new Promise((go) => setTimeout(go, 60));
  expect(model.cells.map(({ state }) => state)).not.toContain("running");
  expect(model.cells.map(({ state }) => state)).not.toContain("queued");
});

test("long work asks when it wasn't asked for by name, and a no leaves it", async () => {
  const { session, model, log } = await open({ a: "print(1)", long: "print(2)", c: "print(3)" }, ["long"]);
  await session.runAll();
  expect(log).toEqual(["begin a", "1", "done a", "ask long"]);
  expect(model.cells.map((cell) => cell.state)).toEqual(["done", "recorded", "recorded"]);
  log.length = 0;
  await session.run("long");
  expect(log).toEqual(["begin long", "2", "done long"]);
});

test("an edit made before this code was loaded marks the dependents too", async () => {
  const { session, model } = await open({ a: "const x = 2;", b: "print(x)" });
  const before = model.cell("a").source;
  model.edit("a", "const x = 3;");
  session.edited("a", before);
  expect(model.cell("b").reason).toEqual({ kind: "upstream", cell: "a" });
});

const exercise = (check: string): ExerciseSpec => ({
  id: "task",
  line: 15,
  starter: "",
  starterLine: 16,
  check,
  checkLine: 18,
  hints: [],
  solution: "",
  solutionLine: 20,
});

test("an exercise runs what it needs above it, and its names reach no cell", async () => {
  const { session, log } = await open({ a: "const x = 2;", b: "print(typeof z)" });
  const result = await session.runExercise(exercise('test("sum", () => equal(z, 5))'), "const z = x + 3;");
  expect(log.slice(0, 3)).toEqual(["task needs a", "begin a", "done a"]);
  expect(result.verdicts).toMatchObject([{ name: "sum", pass: true }]);
  await session.run("b");
  expect(log.slice(-2)[0]).toBe("undefined");
});

test("an exercise whose cell fails says so instead of running", async () => {
  const { session } = await open({ a: "const x = null.y;" });
  const result = await session.runExercise(exercise('test("any", () => x)'), "x;");
  expect(result).toMatchObject({ state: "error", unmet: "a" });
});

test("on another device everything must run again, what was running when it was chosen included", async () => {
  const { session, model, log } = await open({
    a: "const x = 2;",
    b: "await new Promise((go) => setTimeout(go, 30))",
    c: "print(x)",
  });
  await session.run("c");
  const running = session.run("b");
  session.changeDevice();
  await running;
  expect(model.cells.map(({ state, reason }) => [state, reason?.kind])).toEqual(Array(3).fill(["stale", "device"]));
  log.length = 0;
  await session.run("c");
  expect(log).toEqual(["c needs a", "begin a", "done a", "begin c", "2", "done c"]);
});

test("a run of all cells leaves out what needs a GPU where there is none, and runs the rest", async () => {
  const { session, log } = await open({ a: "print(1)", gpu: "print(2)", c: "print(3)" }, [], ["gpu"]);
  await session.runAll();
  expect(log).toEqual(["begin a", "1", "done a", "begin c", "3", "done c"]);
  log.length = 0;
  await session.run("gpu");
  expect(log).toEqual(["begin gpu", "2", "done gpu"]);
});
