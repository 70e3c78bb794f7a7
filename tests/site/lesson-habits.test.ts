/** What Python's and a Chinese keyboard's habits are told. */
import { afterEach, expect, test } from "vitest";
import { createNodeKernel, type NodeKernel } from "../../site/kernel/node.ts";

let kernel: NodeKernel | null = null;
afterEach(() => {
  kernel?.dispose();
  kernel = null;
});

async function errorOf(source: string) {
  kernel?.dispose();
  kernel = await createNodeKernel();
  const { error } = await kernel.run({ cellId: "a", source, scope: {}, publishes: true, check: null });
  return error;
}

test("Python's statements are told how they are written here", async () => {
  for (const [source, hint] of [
    ["import torch\nx = torch.tensor([1])", /import \* as torch/],
    ["from torch import nn", /import \{ nn \}/],
    ["def f(x):\n    return x", /function name/],
    ["class Net(nn.Module):\n    pass", /extends nn\.Module/],
    ["for x in range(3):\n    print(x)", /for \(const x of/],
    ["const x = 1;\nif x > 0:\n    print(x)", /braces/],
    ["# a comment", /\/\//],
    ['print(f"loss {1}")', /backticks/],
  ] as const) {
    expect((await errorOf(source))?.hint, source).toMatch(hint);
  }
});

test("a full-width bracket is named, with what to type", async () => {
  expect((await errorOf("print（1）"))?.hint).toBe("（ is a full-width character: type (");
});

test("an ordinary slip gets no hint about Python", async () => {
  expect((await errorOf("const a = [1, 2;\nprint(a)"))?.hint).toBeNull();
});

test("Python's names are told what they are here", async () => {
  expect((await errorOf("const x = True"))?.hint).toBe("here it is written true");
  expect((await errorOf("print(self)"))?.hint).toBe("here it is written this");
  expect((await errorOf("print(misspelt)"))?.hint).toBeNull();
});

test("a named argument is told from a forgotten declaration", async () => {
  const call = 'import * as nn from "torch/nn";\nnew nn.Conv2d(3, 6, kernel_size=3)';
  expect((await errorOf(call))?.hint).toBe("named arguments stand in braces: { kernelSize: … }");
  expect((await errorOf("total = 3"))?.hint).toBe("write let total = …");
});

test("a class called without new is called by the cell's name for it", async () => {
  expect(await errorOf('import * as nn from "torch/nn";\nconst conv = nn.Conv2d(3, 6, 3);')).toMatchObject({
    message: "Class constructor Conv2d cannot be invoked without 'new'",
    hint: "write new nn.Conv2d(…)",
    frames: [{ cellId: "a", line: 2 }],
  });
});

test("a function that calls itself without end is told in a few places, not in hundreds", async () => {
  const error = await errorOf("function f(): number {\n  return f() + 1;\n}\nf()");
  expect(error?.name).toBe("RangeError");
  expect(error!.frames.length).toBeLessThan(4);
});

test("brackets on a tensor are refused instead of giving nothing", async () => {
  const read = await errorOf('import * as torch from "torch";\nconst x: any = torch.tensor([1, 2]);\nprint(x[0]);');
  expect(read).toMatchObject({ message: "a tensor is not indexed with brackets", frames: [{ line: 3 }] });
  expect(read?.hint).toContain("x.get(0)");
  const write = await errorOf('import * as torch from "torch";\nconst x: any = torch.tensor([1, 2]);\nx[1] = 5;');
  expect(write?.hint).toBe("write x.set([1], value)");
});
