import { expect, test } from "vitest";
import { dependentsOf, type FlowCell, readFlow, runOrder, staleAfterEdit } from "../../site/lesson/dataflow.ts";

function cells(sources: Record<string, string>, exercises: string[] = []): FlowCell[] {
  return Object.entries(sources).map(([id, source]) => ({ id, source, publishes: !exercises.includes(id) }));
}

test("a free name belongs to the nearest cell above that defines it", () => {
  const flow = readFlow(cells({ a: "let x = 1", b: "let x = 2", c: "print(x)", d: "let x = 3" }));
  expect(flow.cells.get("c")).toMatchObject({ scope: { x: "b" }, needs: ["b"], usedBefore: [], below: {} });
  expect(flow.cells.get("d")).toMatchObject({ scope: {}, needs: [] });
});

test("a name used before any definition names the cell further down", () => {
  const flow = readFlow(cells({ a: "\n  print(x)", b: "print(x)", c: "let x = 1", d: "let x = 2" }));
  expect(flow.cells.get("a")).toMatchObject({
    usedBefore: [{ name: "x", line: 2, column: 9, definedIn: "c" }],
    below: { x: "c" },
  });
});

test("what JavaScript and the kernel provide asks for no cell, even if one further down has that name", () => {
  const flow = readFlow(cells({ a: "print(Math.PI, nothing)", b: "const print = 1, Math = 2" }));
  expect(flow.cells.get("a")).toMatchObject({ usedBefore: [], scope: {} });
  expect(flow.cells.get("a")!.unknown.map(({ name }) => name)).toEqual(["nothing"]);
});

test("a cell above may hide what the kernel provides", () => {
  const flow = readFlow(cells({ a: "const print = 1", b: "print" }));
  expect(flow.cells.get("b")!.scope).toEqual({ print: "a" });
});

test("imported names are given on", () => {
  const flow = readFlow(cells({ a: `import * as torch from "torch"`, b: "torch.ones(1)" }));
  expect(flow.cells.get("b")!.scope).toEqual({ torch: "a" });
});

test("an exercise publishes nothing", () => {
  const flow = readFlow(cells({ a: "let x = 1", e: "let x = 2; let y = 3", b: "print(x, y)" }, ["e"]));
  expect(flow.cells.get("b")).toMatchObject({ scope: { x: "a" } });
  expect(flow.cells.get("b")!.unknown.map(({ name }) => name)).toEqual(["y"]);
});

test("checks of an exercise take names from the cells above too", () => {
  const flow = readFlow([
    { id: "a", source: "const size = 3", publishes: true },
    { id: "e", source: "const shape = [3]", publishes: false, check: "test('x', () => equal(shape[0], size))" },
  ]);
  expect(flow.cells.get("e")).toMatchObject({ scope: { size: "a" }, needs: ["a"], unknown: [] });
});

test("the run order holds what is not fresh, in the order of the lesson", () => {
  const flow = readFlow(cells({ a: "let a = 1", b: "let b = a", x: "let x = 1", c: "let c = b + a", d: "c" }));
  expect(runOrder(flow, "d", () => false)).toEqual(["a", "b", "c", "d"]);
  expect(runOrder(flow, "d", () => true)).toEqual(["d"]);
  expect(runOrder(flow, "d", (id) => id !== "c")).toEqual(["c", "d"]);
});

test("what depends on a cell that must run again runs again too", () => {
  const flow = readFlow(cells({ a: "let a = 1", b: "let b = a", c: "b" }));
  expect(runOrder(flow, "c", (id) => id !== "a")).toEqual(["a", "b", "c"]);
});

test("dependents are found through others", () => {
  const flow = readFlow(cells({ a: "let a = 1", b: "let b = a", c: "let c = b", d: "1" }));
  expect(dependentsOf(flow, "a")).toEqual(["b", "c"]);
  expect(dependentsOf(flow, "d")).toEqual([]);
});

test("an edit makes stale whoever takes a name from another cell than before", () => {
  const before = readFlow(cells({ a: "let x = 1", b: "1", c: "x", d: "2" }));
  const hiding = readFlow(cells({ a: "let x = 1", b: "let x = 2", c: "x", d: "2" }), before);
  expect(staleAfterEdit(before, hiding, "b")).toEqual(["c"]);
  expect(staleAfterEdit(hiding, before, "b")).toEqual(["c"]);
  const same = readFlow(cells({ a: "let x = 5", b: "1", c: "x", d: "2" }), before);
  expect(staleAfterEdit(before, same, "a")).toEqual(["c"]);
});

test("half-typed text keeps its names for the cells below", () => {
  const before = readFlow(cells({ a: "let x = 1", b: "x" }));
  const typing = readFlow(cells({ a: "let x = (", b: "x" }), before);
  expect(typing.cells.get("a")!.error).toMatchObject({ name: "SyntaxError", line: 1 });
  expect(typing.cells.get("b")!.scope).toEqual({ x: "a" });
});

test("unchanged texts are not read again", () => {
  const before = readFlow(cells({ a: "let x = 1", b: "x" }));
  const after = readFlow(cells({ a: "let x = 2", b: "x" }), before);
  expect(after.texts.get("b")).toBe(before.texts.get("b"));
  expect(after.texts.get("a")).not.toBe(before.texts.get("a"));
});
