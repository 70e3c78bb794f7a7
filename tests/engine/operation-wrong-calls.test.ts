/** Wrong calls of operations throw the engine's errors in PyTorch's words; nothing of JavaScript's own comes through. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as errors from "../../engine/core/errors.ts";
import * as torch from "../../engine/torch.ts";
import { type CallCase, load } from "../golden/cases.ts";
import { operation } from "../golden/names.ts";
import { callArguments } from "../golden/run.ts";
import { toValue } from "../golden/values.ts";

const { Tensor } = torch;

// What some of these operations warn of is not the matter here.
const silent = vi.spyOn(console, "warn");
beforeAll(() => void silent.mockImplementation(() => {}));
afterAll(() => silent.mockRestore());

const ERRORS = Object.values(errors).filter((member) => typeof member === "function");

function tensorsIn(value: unknown): torch.Tensor[] {
  if (value instanceof Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

/** What a call throws, or null; what it returns has sizes that are whole numbers. */
function thrownBy(run: () => unknown): Error | null {
  let result: unknown;
  try {
    result = run();
  } catch (error) {
    expect(ERRORS, String(error)).toContain((error as Error).constructor);
    expect((error as Error).message).not.toMatch(
      /undefined|NaN\b.*out of|is not a function|Cannot (read|des)|\[object/,
    );
    return error as Error;
  }
  for (const { shape } of tensorsIn(result))
    expect(shape.every(Number.isInteger), `shape [${shape.join()}]`).toBe(true);
  return null;
}

/** The arguments of a recorded call, fresh ones each time: some operations change them. */
function argumentsOf({ inputs, args, options }: CallCase): unknown[] {
  return callArguments(
    inputs.map((input) => toValue(input)),
    args,
    options,
  );
}

/** One recorded call for each way to write it that works. */
function calls(): CallCase[] {
  const found = new Map<string, CallCase>();
  for (const golden of [...load("ops"), ...load("functional")]) {
    if (golden.error !== undefined || !golden.op || golden.op.includes("__")) continue;
    const key = `${golden.op} ${golden.inputs.length} ${golden.args.length} ${Object.keys(golden.options).join()}`;
    if (!found.has(key)) found.set(key, golden);
  }
  return [...found.values()];
}

describe("operations as recorded, called wrongly", () => {
  it.each(calls().map((golden) => [`${golden.op} :: ${golden.python ?? ""}`, golden] as const))("%s", (_, golden) => {
    const run = operation(golden.op);
    const given = () => argumentsOf(golden);
    const named = Object.keys(golden.options).length > 0;
    expect(thrownBy(() => run(...given()))).toBeNull();

    const wrong = { ...(named ? (given().at(-1) as object) : {}), zzzUnknown: 1 };
    const unknown = thrownBy(() => run(...(named ? given().slice(0, -1) : given()), wrong));
    expect(unknown, "an unknown option").toBeInstanceOf(errors.TypeError);

    if (!named) {
      // A method always has the tensor that it belongs to.
      if (given().length > 1 || !golden.op.startsWith("torch.Tensor.")) thrownBy(() => run(...given().slice(0, -1)));
      thrownBy(() => run(...given(), torch.ones(2)));
    }
    given().forEach((argument, i) => {
      if (typeof argument !== "number") return;
      for (const other of [Number.NaN, 1.5, undefined, null]) thrownBy(() => run(...given().with(i, other)));
      expect(
        thrownBy(() => run(...given().with(i, "1"))),
        `text as argument ${i}`,
      ).not.toBeNull();
    });
  });
});

/** Wrong calls on purpose: the types would not let them pass. */
function call(name: string, ...args: unknown[]): () => unknown {
  return () => operation(name)(...args);
}

describe("what PyTorch says of a wrong call", () => {
  const x = torch.ones(2, 3);
  it.each([
    [call("torch.Tensor.mm", x), 'mm() missing 1 required positional arguments: "mat2"'],
    [call("torch.mm", x, 1), "mm(): argument 'mat2' (position 2) must be Tensor, not int"],
    [call("torch.Tensor.mm", x, x, 3), "mm() takes 1 positional argument but 2 were given"],
    [call("torch.Tensor.transpose", x), 'transpose() missing 2 required positional argument: "dim0", "dim1"'],
    [call("torch.Tensor.unsqueeze", x, 1.5), "unsqueeze(): argument 'dim' (position 1) must be int, not float"],
    [call("torch.topk", x, null), "topk(): argument 'k' (position 2) must be int, not NoneType"],
    [call("torch.cat", [x, 1]), "expected Tensor as element 1 in argument 0, but got int"],
    [call("torch.stack", [x], { axes: 1 }), "stack() got an unexpected keyword argument 'axes'"],
    [call("torch.tril", x, 1, 2, 3), "tril() takes from 1 to 2 positional arguments but 4 were given"],
    [
      call("torch.Tensor.repeat", x, Number.NaN),
      "repeat(): argument 'repeats' (position 1) must be tuple of ints, not float",
    ],
    [call("torch.Tensor.flip", x), 'flip() missing 1 required positional arguments: "dims"'],
    [call("torch.zeros"), 'zeros() missing 1 required positional arguments: "size"'],
    [call("torch.full", [2], null), "full(): argument 'fill_value' (position 2) must be Number, not NoneType"],
    [call("torch.Tensor.mul_", x.clone(), 2, { zz: 1 }), "mul_() got an unexpected keyword argument 'zz'"],
    [call("torch.Tensor.mul_", x.clone(), "a"), "mul_(): argument 'other' (position 1) must be Tensor, not str"],
    [call("torch.allclose", x, x, "a"), "allclose(): argument 'rtol' (position 3) must be float, not str"],
    [
      call("torch.rot90", x, 1, [0, 1.5]),
      "rot90(): argument 'dims' failed to unpack the object at pos 2 with error \"type must be tuple of ints,but got float\"",
    ],
  ])("%#: %s", (run, message) => {
    const error = thrownBy(run);
    expect(error).toBeInstanceOf(errors.TypeError);
    expect(error?.message.split("\n")[0]).toBe(message);
  });

  it("names the nearest option", () => {
    expect(call("torch.stack", [x], { dims: 1 })).toThrow("hint: did you mean dim?");
  });

  it("an index that is none is an IndexError", () => {
    const message = "and long or byte Variables are valid indices (got ";
    for (const [index, got] of [
      [1.5, "float"],
      [undefined, "NoneType"],
    ]) {
      expect(call("torch.Tensor.get", x, index)).toThrow(errors.IndexError);
      expect(call("torch.Tensor.get", x, index)).toThrow(`${message}${got})`);
    }
  });

  it("numbers beyond a dtype are refused, negative ones wrap around in uint8", () => {
    expect(() => torch.tensor([300], { dtype: torch.uint8 })).toThrow(
      "value cannot be converted to type uint8 without overflow",
    );
    expect(torch.tensor([-1], { dtype: torch.uint8 }).tolist()).toEqual([255]);
  });

  it("NumPy's names for the dimension are taken as PyTorch takes them", () => {
    expect(String(operation("torch.Tensor.sum")(x, { axis: 1, keepdims: true }))).toBe(
      String(x.sum(1, { keepdim: true })),
    );
    expect(String(operation("torch.cat")([x, x], { axis: 1 }))).toBe(String(torch.cat([x, x], 1)));
  });
});
