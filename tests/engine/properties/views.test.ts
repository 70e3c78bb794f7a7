/**
 * Views against a model that knows nothing of strides: the memory cell behind every element, row by row. How PyTorch sets
 * the strides of axes of size 1 and 0, and in which order results lie in memory, is recorded in views.json.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as torch from "../../../engine/torch.ts";

interface Model {
  shape: number[];
  /** For each element, row by row, where it lies in memory. */
  cells: number[];
}

const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Every index into a shape, row by row. */
function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (rows, size) => rows.flatMap((row) => Array.from({ length: size }, (_, i) => [...row, i])),
    [[]],
  );
}

function cellAt({ shape, cells }: Model, index: readonly number[]): number {
  return cells[index.reduce((flat, i, axis) => flat * shape[axis]! + i, 0)]!;
}

/** The model with another shape, whose element at an index is the old one at `from(index)`. */
function mapped(model: Model, shape: number[], from: (index: number[]) => number[]): Model {
  return { shape, cells: indices(shape).map((index) => cellAt(model, from(index))) };
}

/** Strides that reach the cells, or null where no strides do. Found by looking at the second cell along each axis. */
function reachable({ shape, cells }: Model): number[] | null {
  const strides = shape.map((size, axis) => {
    const next = shape.map((_, i) => (i === axis ? 1 : 0));
    return size > 1 && cells.length > 0 ? cellAt({ shape, cells }, next) - cells[0]! : 0;
  });
  const fits = indices(shape).every(
    (index, i) => cells[i] === cells[0]! + index.reduce((sum, at, axis) => sum + at * strides[axis]!, 0),
  );
  return fits ? strides : null;
}

interface Move {
  name: string;
  run(x: torch.Tensor): torch.Tensor;
  model: Model;
}

/** Numbers from which a move is made that suits whatever shape has come about. */
const choices = fc.noBias(fc.array(fc.nat(1000), { minLength: 8, maxLength: 8 }));

/** Sizes that multiply to n. */
function sizesOf(n: number, [a, b, c]: readonly number[]): number[] {
  if (n === 0) return [a! % 3, 0, b! % 4];
  const divisors = (m: number) => Array.from({ length: m }, (_, i) => i + 1).filter((d) => m % d === 0);
  const first = divisors(n)[a! % divisors(n).length]!;
  const second = divisors(n / first)[b! % divisors(n / first).length]!;
  return [first, second, n / first / second].slice(0, n / first / second === 1 && c! % 2 === 0 ? 2 : 3);
}

type Maker = (model: Model, draw: readonly number[], axis: number, other: number) => Move | null;

function withAxis(shape: readonly number[], axis: number, ...sizes: number[]): number[] {
  return [...shape.slice(0, axis), ...sizes, ...shape.slice(axis + 1)];
}

const MAKERS: Record<string, Maker> = {
  view(model, draw) {
    const shape = sizesOf(model.cells.length, draw);
    return { name: `view(${shape})`, run: (x) => x.view(shape), model: { shape, cells: model.cells } };
  },
  reshape(model, draw) {
    const shape = sizesOf(model.cells.length, draw);
    const reshaped = { shape, cells: model.cells };
    // A copy is no view any more: it is tried by itself below.
    return reachable(reshaped) ? { name: `reshape(${shape})`, run: (x) => x.reshape(shape), model: reshaped } : null;
  },
  transpose(model, _, axis, other) {
    const swap = <T>(list: readonly T[]) =>
      list.map((_item, i) => list[i === axis ? other : i === other ? axis : i]!) as T[];
    return {
      name: `transpose(${axis}, ${other - model.shape.length})`,
      run: (x) => x.transpose(axis, other - model.shape.length),
      model: mapped(model, swap(model.shape), swap),
    };
  },
  permute(model, draw) {
    const order = model.shape.map((_, i) => i).sort((a, b) => draw[a]! - draw[b]! || a - b);
    const shape = order.map((axis) => model.shape[axis]!);
    const from = (index: number[]) => order.map((_, axis) => index[order.indexOf(axis)]!);
    return { name: `permute(${order})`, run: (x) => x.permute(order), model: mapped(model, shape, from) };
  },
  expand(model, draw) {
    if (count(model.shape) > 60) return null;
    const lead = draw[0]! % 2 === 0 ? [] : [(draw[1]! % 3) + 1];
    const shape = [...lead, ...model.shape.map((size, i) => (size === 1 ? draw[i + 2]! % 4 : size))];
    const from = (index: number[]) => index.slice(lead.length).map((at, i) => (model.shape[i] === 1 ? 0 : at));
    return { name: `expand(${shape})`, run: (x) => x.expand(shape), model: mapped(model, shape, from) };
  },
  narrow(model, draw, axis) {
    const size = model.shape[axis]!;
    const start = draw[0]! % (size + 1);
    const left = size - start;
    const length = draw[2]! % 6 === 0 ? 0 : Math.min(left, 1 + (draw[1]! % (left + 1)));
    return {
      name: `narrow(${axis}, ${start}, ${length})`,
      run: (x) => x.narrow(axis, start, length),
      model: mapped(model, withAxis(model.shape, axis, length), (index) => index.with(axis, index[axis]! + start)),
    };
  },
  select(model, draw, axis) {
    const size = model.shape[axis]!;
    if (size === 0) return null;
    const at = draw[0]! % size;
    const given = draw[1]! % 2 === 0 ? at : at - size;
    return {
      name: `select(${axis}, ${given})`,
      run: (x) => x.select(axis, given),
      model: mapped(model, withAxis(model.shape, axis), (index) => index.toSpliced(axis, 0, at)),
    };
  },
  slice(model, draw, axis) {
    const size = model.shape[axis]!;
    const [first, last, step] = [
      (draw[0]! % (2 * size + 3)) - size - 1,
      (draw[1]! % (2 * size + 3)) - size - 1,
      1 + (draw[2]! % 3),
    ];
    // Python's own rule: negative ends count from behind, and what is beyond an end stops there.
    const clip = (end: number) => Math.min(Math.max(end < 0 ? end + size : end, 0), size);
    const taken = Array.from({ length: size }, (_, i) => i).filter(
      (i) => i >= clip(first) && i < clip(last) && (i - clip(first)) % step === 0,
    );
    const slice = [...new Array<string>(axis).fill(":"), `${first}:${last}:${step}`];
    return {
      name: `get(${slice})`,
      run: (x) => x.get(...slice),
      model: mapped(model, withAxis(model.shape, axis, taken.length), (index) =>
        index.with(axis, taken[index[axis]!]!),
      ),
    };
  },
  unsqueeze(model, draw) {
    if (model.shape.length > 5) return null;
    const axis = draw[0]! % (model.shape.length + 1);
    const shape = model.shape.toSpliced(axis, 0, 1);
    return { name: `unsqueeze(${axis})`, run: (x) => x.unsqueeze(axis), model: { shape, cells: model.cells } };
  },
  squeeze(model, draw, axis) {
    const all = draw[0]! % 2 === 0;
    const shape = model.shape.filter((size, i) => size !== 1 || !(all || i === axis));
    return {
      name: all ? "squeeze()" : `squeeze(${axis})`,
      run: (x) => (all ? x.squeeze() : x.squeeze(axis)),
      model: { shape, cells: model.cells },
    };
  },
  diagonal(model, draw, axis, other) {
    if (axis === other) return null;
    const offset = (draw[0]! % 5) - 2;
    const rest = model.shape.map((_, i) => i).filter((i) => i !== axis && i !== other);
    const along = Array.from({ length: 8 }, (_, i) => [i + Math.max(0, -offset), i + Math.max(0, offset)]).filter(
      ([i, j]) => i! < model.shape[axis]! && j! < model.shape[other]!,
    );
    const from = (index: number[]) => {
      const [i, j] = along[index[index.length - 1]!]!;
      return model.shape.map((_, d) => (d === axis ? i! : d === other ? j! : index[rest.indexOf(d)]!));
    };
    return {
      name: `diagonal(${offset}, ${axis}, ${other})`,
      run: (x) => x.diagonal(offset, axis, other),
      model: mapped(model, [...rest.map((d) => model.shape[d]!), along.length], from),
    };
  },
  unfold(model, draw, axis) {
    const size = draw[0]! % (model.shape[axis]! + 1);
    const step = 1 + (draw[1]! % 3);
    if (model.shape.length > 5) return null;
    let windows = 0;
    while (windows * step + size <= model.shape[axis]!) windows++;
    const shape = [...withAxis(model.shape, axis, windows), size];
    if (count(shape) > 300) return null;
    const from = (index: number[]) => index.slice(0, -1).with(axis, index[axis]! * step + index[index.length - 1]!);
    return {
      name: `unfold(${axis}, ${size}, ${step})`,
      run: (x) => x.unfold(axis, size, step),
      model: mapped(model, shape, from),
    };
  },
};

/** The next move: what the numbers choose, or null where it does not suit the shape. */
function moveFor(model: Model, [kind, a, b, ...draw]: readonly number[]): Move | null {
  // What reorders and what asks for another shape come oftener: together they are what a view can refuse.
  const names = [...Object.keys(MAKERS), "view", "view", "permute", "transpose"];
  const name = names[kind! % names.length]!;
  const ndim = model.shape.length;
  if (ndim === 0 && !["view", "reshape", "expand", "unsqueeze", "squeeze", "permute"].includes(name)) return null;
  return MAKERS[name]!(model, [...draw, ...draw], ndim === 0 ? 0 : a! % ndim, ndim === 0 ? 0 : b! % ndim);
}

const start = fc.array(
  fc.oneof({ weight: 12, arbitrary: fc.integer({ min: 1, max: 4 }) }, { weight: 1, arbitrary: fc.constant(0) }),
  {
    maxLength: 4,
    size: "max",
  },
);

function check(x: torch.Tensor, model: Model, memory: readonly number[], path: string): void {
  expect([...x.shape], path).toEqual(model.shape);
  expect([...x.denseData()], path).toEqual(model.cells.map((cell) => memory[cell]));
  const reached = indices(model.shape).map((index) =>
    index.reduce((sum, at, axis) => sum + at * x.stride(axis), x.storageOffset()),
  );
  expect(reached, `${path}: cells by stride() and storageOffset()`).toEqual(model.cells);
  const inARow = model.cells.every((cell, i) => cell === model.cells[0]! + i);
  expect(x.isContiguous(), `${path}: isContiguous`).toBe(inARow);
}

describe("any sequence of views", () => {
  it("shows the cells that it says, and errs only where no strides could show them", () => {
    const seen = { moves: 0, refusals: 0 };
    fc.assert(
      fc.property(start, fc.array(choices, { minLength: 1, maxLength: 8 }), (shape, draws) => {
        const memory = Array.from({ length: count(shape) }, (_, i) => i + 0.5);
        let x = torch.tensor(memory, { dtype: torch.float64 }).reshape(shape);
        let model: Model = { shape, cells: memory.map((_, i) => i) };
        let path = `[${shape}]`;
        for (const draw of draws) {
          const move = moveFor(model, draw);
          if (!move) continue;
          path += ` ${move.name}`;
          if (model.cells.length > 0 && !reachable(move.model)) {
            seen.refusals++;
            expect(() => move.run(x), path).toThrow("view size is not compatible with input tensor's size and stride");
            continue;
          }
          seen.moves++;
          x = move.run(x);
          model = move.model;
          check(x, model, memory, path);
          expect(x.base, path).not.toBeNull();
        }
      }),
      { seed: 7, numRuns: 1500 },
    );
    expect(seen.moves).toBeGreaterThan(4000);
    expect(seen.refusals).toBeGreaterThan(50);
  });

  it("writes through to the memory, and to no other cell", () => {
    let written = 0;
    fc.assert(
      fc.property(start, fc.array(choices, { minLength: 1, maxLength: 6 }), fc.nat(3), (shape, draws, how) => {
        const memory = Array.from({ length: count(shape) }, (_, i) => i + 0.5);
        const base = torch.tensor(memory, { dtype: torch.float64 }).reshape(shape);
        let x = base;
        let model: Model = { shape, cells: memory.map((_, i) => i) };
        for (const draw of draws) {
          const move = moveFor(model, draw);
          if (!move || (model.cells.length > 0 && !reachable(move.model))) continue;
          x = move.run(x);
          model = move.model;
        }
        const { cells } = model;
        const repeated = new Set(cells).size < cells.length;
        if (how === 0 || repeated) {
          x.fill_(-1);
          for (const cell of cells) memory[cell] = -1;
        } else if (how === 1) {
          x.mul_(2).add_(1);
          for (const cell of cells) memory[cell] = memory[cell]! * 2 + 1;
        } else if (how === 2) {
          x.copy_(torch.arange(cells.length, { dtype: torch.float64 }).reshape(model.shape));
          cells.forEach((cell, i) => {
            memory[cell] = i;
          });
        } else if (model.shape.length > 0 && cells.length > 0) {
          x.set(["...", 0], 9);
          for (const [i, index] of indices(model.shape).entries()) if (index.at(-1) === 0) memory[cells[i]!] = 9;
        }
        written += cells.length > 0 ? 1 : 0;
        expect(base.denseData()).toEqual(Float64Array.from(memory));
      }),
      { seed: 8, numRuns: 600 },
    );
    expect(written).toBeGreaterThan(300);
  });

  it("gives its gradient back to the cells it shows, once for every time it shows them", () => {
    fc.assert(
      fc.property(start, fc.array(choices, { minLength: 1, maxLength: 6 }), (shape, draws) => {
        const base = torch.zeros(shape, { dtype: torch.float64, requiresGrad: true });
        let x = base.mul(1);
        let model: Model = { shape, cells: Array.from({ length: count(shape) }, (_, i) => i) };
        for (const draw of draws) {
          const move = moveFor(model, draw);
          if (!move || (model.cells.length > 0 && !reachable(move.model))) continue;
          x = move.run(x);
          model = move.model;
        }
        const weights = model.cells.map((_, i) => i + 1);
        x.backward(torch.tensor(weights, { dtype: torch.float64 }).reshape(model.shape));
        const expected = new Float64Array(count(shape));
        model.cells.forEach((cell, i) => {
          expected[cell]! += weights[i]!;
        });
        expect(base.grad!.denseData()).toEqual(expected);
      }),
      { seed: 9, numRuns: 600 },
    );
  });

  it("is reshaped by a copy where no view will do", () => {
    const x = torch.arange(6, { dtype: torch.float32 }).reshape(2, 3).t();
    const y = x.reshape(6);
    y.fill_(0);
    expect(x.tolist()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(y.base).toBeNull();
  });
});

type Answer =
  | { shape: number[]; stride: number[]; offset: number; contiguous: boolean }
  | { error: string; type: string };

interface Program {
  shape: number[];
  steps: [operation: string, args: unknown[], answer: Answer][];
}

/** An operation by its name here; "addPart" adds the first column to the whole. */
function apply(x: torch.Tensor, operation: string, args: unknown[]): torch.Tensor {
  if (operation === "addPart") return x.add(x.get("...", "0:1"));
  const list = operation === "get" ? (args[0] as unknown[]) : args;
  return Reflect.apply(Reflect.get(x, operation), x, list) as torch.Tensor;
}

function answerOf(run: () => torch.Tensor): [Answer, torch.Tensor | null] {
  try {
    const x = run();
    const { shape } = x;
    const answer = {
      shape: [...shape],
      stride: [...x.stride()],
      offset: x.storageOffset(),
      contiguous: x.isContiguous(),
    };
    return [answer, x];
  } catch (error) {
    const { message, name } = error as Error;
    return [{ error: message, type: name }, null];
  }
}

describe("strides, order in memory and errors as PyTorch has them", () => {
  const programs = JSON.parse(readFileSync(new URL("./views.json", import.meta.url), "utf8")) as Program[];
  it.each(
    programs.map(
      (program) =>
        [
          program.steps.map(([name, args]) => `${name}(${JSON.stringify(args).slice(1, -1)})`).join("."),
          program,
        ] as const,
    ),
  )("%s", (_, { shape, steps }) => {
    let x = torch.arange(count(shape), { dtype: torch.float32 }).reshape(shape);
    for (const [name, args, expected] of steps) {
      const [answer, result] = answerOf(() => apply(x, name, args));
      expect(answer, `${name}(${JSON.stringify(args)})`).toEqual(expected);
      x = result ?? x;
    }
  });
});
