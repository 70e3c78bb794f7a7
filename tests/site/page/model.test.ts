import { expect, test } from "vitest";
import { LessonModel } from "../../../site/components/model.ts";
import type { CellSpec } from "../../../site/lesson/types.ts";

function spec(id: string, source = `print("${id}")`): CellSpec {
  return {
    id,
    source,
    line: 1,
    hidden: false,
    readonly: false,
    auto: false,
    steps: false,
    tol: null,
    device: null,
    twin: null,
    output: null,
  };
}

function lesson(): LessonModel {
  return new LessonModel([spec("a"), spec("b"), spec("c")]);
}

function ran(model: LessonModel, id: string): void {
  model.begin(id, "running");
  model.finish(id, model.cell(id).source, "done", 5);
}

test("a cell is recorded until it runs, and fresh once it has", () => {
  const model = lesson();
  expect(model.cell("a").state).toBe("recorded");
  expect(model.isFresh("a")).toBe(false);
  ran(model, "a");
  expect(model.cell("a")).toMatchObject({ state: "done", ms: 5, everRan: true });
  expect(model.isFresh("a")).toBe(true);
});

test("an edit makes a cell stale, and taking it back makes it done again", () => {
  const model = lesson();
  ran(model, "a");
  model.edit("a", "print(2)");
  expect(model.cell("a")).toMatchObject({ state: "stale", reason: { kind: "edited" } });
  expect(model.isFresh("a")).toBe(false);
  model.edit("a", model.cell("a").starter);
  expect(model.cell("a")).toMatchObject({ state: "done", reason: null });
});

test("an edit of a cell that never ran is stale until it is undone", () => {
  const model = lesson();
  model.edit("a", "print(2)");
  expect(model.cell("a").state).toBe("stale");
  model.edit("a", model.cell("a").starter);
  expect(model.cell("a").state).toBe("recorded");
});

test("what depends on a changed cell says which one changed", () => {
  const model = lesson();
  ran(model, "a");
  ran(model, "b");
  model.invalidate(["b"], "a");
  expect(model.cell("b")).toMatchObject({ state: "stale", reason: { kind: "upstream", cell: "a" } });
  model.edit("b", "print(3)");
  model.edit("b", model.cell("b").starter);
  // The text is the old one, but what it read is not.
  expect(model.cell("b").state).toBe("stale");
});

test("what is typed while a cell runs leaves it stale when it ends", () => {
  const model = lesson();
  model.begin("a", "running");
  const source = model.cell("a").source;
  model.edit("a", "print(9)");
  expect(model.cell("a").state).toBe("running");
  model.finish("a", source, "done", 3);
  expect(model.cell("a")).toMatchObject({ state: "stale", reason: { kind: "edited" } });
});

test("a lost kernel names the cells that must run again, in order", () => {
  const model = lesson();
  ran(model, "c");
  ran(model, "a");
  model.begin("b", "running");
  model.finish("b", model.cell("b").source, "stopped", 900);
  expect(model.loseKernel()).toEqual(["a", "c"]);
  expect(model.cell("a")).toMatchObject({ state: "stale", reason: { kind: "restart" }, held: null });
  expect(model.cell("b").state).toBe("stopped");
  expect(model.loseKernel()).toEqual([]);
});

test("every change is told once", () => {
  const model = lesson();
  const told: string[] = [];
  const leave = model.onChange((cell) => told.push(`${cell.id} ${cell.state}`));
  ran(model, "a");
  leave();
  model.edit("a", "1");
  expect(told).toEqual(["a running", "a done"]);
});

test("a cell that doesn't exist is the caller's mistake", () => {
  expect(() => lesson().cell("z")).toThrow('this lesson has no cell "z"');
});
