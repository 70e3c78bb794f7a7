import { afterEach, describe, expect, it } from "vitest";
import { asFloats } from "../../engine/core/number_text.ts";
import { type PrintedTensor, print, repr, setPrintSink, str } from "../../engine/core/print.ts";
import * as torch from "../../engine/torch.ts";

function printed(...values: unknown[]): { text: string; tensors: PrintedTensor[] } {
  let result = { text: "", tensors: [] as PrintedTensor[] };
  setPrintSink((text, tensors) => {
    result = { text, tensors };
  });
  print(...values);
  return result;
}

afterEach(() => setPrintSink(null));

describe("print writes what Python's does", () => {
  it.each<[string, unknown[], string]>([
    ["nothing", [], "\n"],
    ["strings as they are", ["loss:", "a\tb"], "loss: a\tb\n"],
    ["numbers", [1, 0.1, 1e-5, 1e16, Number.NaN, -Infinity, -0], "1 0.1 1e-05 10000000000000000 nan -inf -0.0\n"],
    ["truth and None", [true, false, null, undefined], "True False None None\n"],
    ["lists, strings in quotes", [[1, "a", [true, null]]], "[1, 'a', [True, None]]\n"],
    ["a list of floats", [asFloats([1, [2.5, 3]])], "[1.0, [2.5, 3.0]]\n"],
    ["dictionaries", [{ lr: 0.01, name: "sgd" }], "{'lr': 0.01, 'name': 'sgd'}\n"],
    ["maps and sets", [new Map([[1, "x"]]), new Set([1, 2]), new Set()], "{1: 'x'} {1, 2} set()\n"],
    ["quotes in quotes", [["it's", 'say "it\'s"', "a\nb"]], "[\"it's\", 'say \"it\\'s\"', 'a\\nb']\n"],
    ["bigints and typed arrays", [10n ** 20n, Float32Array.of(1, 2)], "100000000000000000000 [1, 2]\n"],
    ["sep and end", ["a", "b", { sep: "-", end: "" }], "a-b"],
  ])("%s", (_, values, text) => {
    expect(printed(...values).text).toBe(text);
  });

  it("tensors by PyTorch's text, in lists too, with their places", () => {
    const [a, b] = [torch.ones(2), torch.tensor(3)];
    const { text, tensors } = printed("x", a, [b]);
    expect(text).toBe("x tensor([1., 1.]) [tensor(3)]\n");
    expect(tensors.map(({ start, end }) => text.slice(start, end))).toEqual(["tensor([1., 1.])", "tensor(3)"]);
    expect(tensors[0]!.tensor).toBe(a);
    expect(tensors[1]!.tensor).toBe(b);
  });

  it("a float tensor's list with Python's floats, an integer one's with ints", () => {
    expect(printed(torch.ones(1, 2).tolist(), torch.tensor([1, 2]).tolist()).text).toBe("[[1.0, 1.0]] [1, 2]\n");
  });

  it("shapes, dtypes and modules by what they say of themselves", () => {
    expect(printed(torch.ones(2, 3).shape, torch.float32, new torch.nn.ReLU()).text).toBe(
      "torch.Size([2, 3]) torch.float32 ReLU()\n",
    );
  });

  it("errors by their message, without the engine's hint", () => {
    const error = new torch.RuntimeError("shapes differ", { hint: "reshape one" });
    expect(str(error)).toBe("shapes differ");
    expect(repr(error)).toBe("RuntimeError('shapes differ')");
  });

  it("classes, functions and what is still to be awaited", () => {
    class Net {}
    expect(printed(Net, Math.max, Promise.resolve(1)).text).toBe(
      "<class 'Net'> <function max> <Promise: write `await` in front of it to get its value>\n",
    );
  });

  it("a list that contains itself once", () => {
    const list: unknown[] = [1];
    list.push(list);
    expect(str(list)).toBe("[1, [...]]");
  });
});
