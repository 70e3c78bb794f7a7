import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ConvRecord, PoolRecord } from "../../../engine/inspect/records.ts";
import { readersOf } from "../../../engine/inspect/windows.ts";
import {
  CONV_START,
  convAtStep,
  convAxes,
  convReaders,
  convStep,
  convSteps,
  explainConv,
  fitConv,
  paintConv,
} from "../../../site/visualizers/conv2d/state.ts";
import {
  explainPool,
  fitPool,
  POOL_START,
  paintPool,
  poolAtStep,
  poolAxes,
  poolStep,
  poolSteps,
  rollInput,
} from "../../../site/visualizers/pool2d/state.ts";
import { unreadCount } from "../../../site/visualizers/shell/axis.ts";
import { fixtures } from "./fixtures.ts";
import { naiveConv, naivePool, type Pair, view } from "./naive.ts";

const outputs = (record: { geometry: { outH: number; outW: number } }) =>
  Array.from(
    { length: record.geometry.outH * record.geometry.outW },
    (_, k) => [Math.floor(k / record.geometry.outW), k % record.geometry.outW] as const,
  );

describe("the classic convolution", () => {
  const [one, two, padded] = fixtures<ConvRecord>("seed");

  test("every sum of products is PyTorch's number, at stride 1, at stride 2 and with padding", () => {
    expect(Array.from(one!.output.data)).toEqual([10, 12, 12, 18, 16, 16, 13, 9, 3]);
    expect(Array.from(two!.output.data)).toEqual([10, 12, 13, 3]);
    expect(Array.from(padded!.output.data.slice(0, 5))).toEqual([1, 3, 4, 10, 8]);
    for (const record of [one!, two!, padded!])
      for (const [i, j] of outputs(record)) {
        const why = explainConv(record, 0, 0, i, j);
        expect(why.total).toBe(why.engine);
        expect(why.agrees).toBe(true);
      }
  });

  test("a wrong engine number is told apart", () => {
    const broken = { ...one!, output: { ...one!.output, data: Float64Array.from(one!.output.data, (y) => y + 1) } };
    expect(explainConv(broken, 0, 0, 1, 1).agrees).toBe(false);
  });

  test("the flipped kernel gives the other matrix, which PyTorch does not compute", () => {
    const [flipped] = fixtures<ConvRecord>("flipped");
    expect(Array.from(flipped!.output.data.slice(0, 3))).toEqual([9, 12, 9]);
  });

  test("padding reads zeros and says so", () => {
    const { terms } = explainConv(padded!, 0, 0, 0, 0);
    expect(terms[0]!.filter((term) => !term.inside).length).toBe(5);
    expect(terms[0]!.filter((term) => !term.inside).every((term) => term.product === 0)).toBe(true);
  });

  test("running sums end at the channel's partial sum", () => {
    expect(explainConv(one!, 0, 0, 0, 0).terms[0]!.map((term) => term.running)).toEqual([1, 5, 5, 5, 6, 6, 8, 10, 10]);
  });
});

describe("batches, channels, groups and dilation against PyTorch", () => {
  for (const name of ["layer", "groups", "same"])
    test(`${name}: all sums agree, for every sample and filter`, () => {
      const [record] = fixtures<ConvRecord>(name);
      const { n, o } = record!.geometry;
      for (let s = 0; s < n; s++)
        for (let f = 0; f < o; f++)
          for (const [i, j] of outputs(record!)) expect(explainConv(record!, s, f, i, j).agrees).toBe(true);
    });

  test("a filter of group 1 reads the channels of group 1", () => {
    const [record] = fixtures<ConvRecord>("groups");
    expect(explainConv(record!, 0, 4, 0, 0).channels).toEqual([2, 3]);
    expect(fitConv(record!, { ...CONV_START, o: 4, c: 0 }).c).toBe(2);
  });

  test("painting dx, dw and db adds up to PyTorch's gradients", () => {
    for (const name of ["layer", "groups"]) {
      const [record] = fixtures<ConvRecord>(name);
      const g = record!.geometry;
      const { gradOutput, input, weight, bias } = record!.expected!;
      const perGroup = g.c / g.groups;
      const dx = new Array<number>(g.n * g.c * g.h * g.w).fill(0);
      const dw = new Array<number>(weight!.data.length).fill(0);
      const db = new Array<number>(g.o).fill(0);
      const size = g.outH * g.outW;
      for (let n = 0; n < g.n; n++)
        for (let o = 0; o < g.o; o++)
          for (const c of explainConv(record!, n, o, 0, 0).channels) {
            const dy = Array.from(gradOutput.data.slice((n * g.o + o) * size, (n * g.o + o + 1) * size));
            const painted = paintConv(record!, { ...CONV_START, n, o, c }, dy, size);
            for (const [k, value] of painted.dx.entries()) dx[(n * g.c + c) * g.h * g.w + k]! += value;
            const slice = (o * perGroup + (c % perGroup)) * g.kernelH * g.kernelW;
            for (const [k, value] of painted.dw.entries()) dw[slice + k]! += value;
            if (c % perGroup === 0) db[o]! += painted.db;
          }
      const close = (ours: number[], theirs: ArrayLike<number>) => {
        for (const [k, value] of ours.entries()) expect(value).toBeCloseTo(theirs[k]!, 4);
      };
      close(dx, input!.data);
      close(dw, weight!.data);
      close(db, bias!.data);
    }
  });
});

describe("pooling against PyTorch", () => {
  test("the classic numbers: floor [[2]], ceil [[2,3],[5,1]] with indices [[1,3],[15,18]]", () => {
    const [ceil, floor] = fixtures<PoolRecord>("seedPool");
    expect(Array.from(floor!.output.data)).toEqual([2]);
    expect(Array.from(ceil!.output.data)).toEqual([2, 3, 5, 1]);
    expect(outputs(ceil!).map(([i, j]) => explainPool(ceil!, 0, 0, i, j).winner!.flat)).toEqual([1, 3, 15, 18]);
    expect(explainPool(ceil!, 0, 0, 0, 0).ties).toBe(3);
    expect(explainPool(ceil!, 0, 0, 0, 1).clipped).toEqual({ rows: 3, cols: 2 });
  });

  test("shapes with padding, ceil_mode, dilation and every divisor agree in value and winner", () => {
    for (const record of [
      ...fixtures<PoolRecord>("poolShapes"),
      ...fixtures<PoolRecord>("ghost"),
      ...fixtures<PoolRecord>("pool32"),
    ])
      for (let n = 0; n < record.geometry.n; n++)
        for (let c = 0; c < record.geometry.c; c++)
          for (const [i, j] of outputs(record)) expect(explainPool(record, n, c, i, j).agrees).toBe(true);
  });

  test("painting dx adds up to PyTorch's gradient, ties included", () => {
    for (const record of fixtures<PoolRecord>("poolShapes").filter((entry) => entry.expected)) {
      const g = record.geometry;
      const size = g.outH * g.outW;
      for (let p = 0; p < g.n * g.c; p++) {
        const dy = Array.from(record.expected!.gradOutput.data.slice(p * size, (p + 1) * size));
        const painted = paintPool(record, Math.floor(p / g.c), p % g.c, dy, size);
        for (const [k, value] of painted.entries())
          expect(value).toBeCloseTo(record.expected!.input!.data[p * g.h * g.w + k]!, 4);
      }
    }
  });

  test("a value that is not a number wins, as in PyTorch", () => {
    const call = {
      kernelSize: [2, 2] as Pair,
      stride: null,
      padding: [0, 0] as Pair,
      dilation: [1, 1] as Pair,
      ceilMode: false,
      countIncludePad: true,
      divisorOverride: null,
    };
    const record = naivePool(view([1, 1, 2, 2], [1, Number.NaN, 3, 2]), "max_pool2d", call);
    const nan = {
      ...record,
      output: { ...record.output, data: Float32Array.of(Number.NaN) },
      indices: { ...record.indices!, data: Float64Array.of(1) },
    };
    expect(explainPool(nan, 0, 0, 0, 0).agrees).toBe(true);
  });
});

describe("axes", () => {
  test("32 pixels under windows of 3: ten by ten, 124 pixels unread; ceil_mode reads them all", () => {
    const [floor, ceil] = fixtures<PoolRecord>("pool32");
    expect([floor!.geometry.outH, unreadCount(poolAxes(floor!))]).toEqual([10, 124]);
    expect([ceil!.geometry.outH, unreadCount(poolAxes(ceil!))]).toEqual([11, 0]);
  });

  test("six positions, k=1, s=2, ceil_mode: rounding up counts 4, the drop rule leaves 3 and strikes out the fourth", () => {
    const [record] = fixtures<PoolRecord>("ghost");
    const { rows } = poolAxes(record!);
    expect([rows.out, rows.naiveCeil, rows.ghost?.reason, rows.ghost?.index, rows.ghost?.start]).toEqual([
      3,
      4,
      "late",
      3,
      6,
    ]);
  });

  test("stride 2 over five positions leaves nothing out, over six it leaves the last column", () => {
    const conv = (size: number) =>
      naiveConv(
        view([1, 1, size, size], new Array(size * size).fill(1)),
        view([1, 1, 3, 3], new Array(9).fill(1)),
        null,
        { stride: [2, 2], padding: [0, 0], dilation: [1, 1], groups: 1 },
      );
    expect(convAxes(conv(5)).cols.unread).toEqual([]);
    expect(convAxes(conv(6)).cols.unread).toEqual([5]);
    expect(convAxes(conv(6)).cols.ghost?.reason).toBe("short");
  });
});

describe("steps", () => {
  test("walk every output cell in row order and stop at the ends", () => {
    const [record] = fixtures<ConvRecord>("seed");
    let selection = CONV_START;
    const seen: string[] = [];
    for (let step = 1; step <= convSteps(record!, selection); step++) {
      selection = convAtStep(record!, selection, step);
      expect(convStep(record!, selection)).toBe(step);
      seen.push(`${selection.i}${selection.j}`);
    }
    expect(seen.join(" ")).toBe("00 01 02 10 11 12 20 21 22");
    expect(convStep(record!, convAtStep(record!, selection, 99))).toBe(9);
    expect(convStep(record!, convAtStep(record!, selection, -3))).toBe(1);
  });

  test("the channels view adds each channel, then the bias", () => {
    const [record] = fixtures<ConvRecord>("layer");
    const start = { ...CONV_START, view: "channels" as const };
    expect(convSteps(record!, start)).toBe(5);
    expect([1, 2, 3, 4, 5].map((step) => convAtStep(record!, start, step).part)).toEqual([0, 1, 2, 3, 4]);
  });

  test("pooling steps through its windows, and a selection outside is brought back", () => {
    const [record] = fixtures<PoolRecord>("seedPool");
    expect(poolSteps(record!)).toBe(4);
    expect(poolStep(record!, poolAtStep(record!, POOL_START, 3))).toBe(3);
    expect(fitPool(record!, { ...POOL_START, i: 7, j: -2, n: 3 })).toMatchObject({ i: 1, j: 0, n: 0 });
  });
});

describe("random parameters against a brute-force index map", () => {
  const pair = (low: number, high: number) =>
    fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }));
  const numbers = (length: number, seed: number) =>
    Array.from({ length }, (_, k) => ((k * 7919 + seed * 104729) % 23) - 11);

  test("convolution: terms, readers and unread cells are those of a kernel laid on an explicitly padded input", () => {
    fc.assert(
      fc.property(
        pair(1, 9),
        pair(1, 4),
        pair(1, 3),
        pair(0, 2),
        pair(1, 3),
        fc.constantFrom(1, 2),
        fc.nat(99),
        (size, kernel, stride, padding, dilation, groups, seed) => {
          fc.pre([0, 1].every((a) => dilation[a]! * (kernel[a]! - 1) + 1 <= size[a]! + 2 * padding[a]!));
          const x = view([2, 2, ...size], numbers(4 * size[0] * size[1], seed), "int64");
          const w = view([2, 2 / groups, ...kernel], numbers((4 / groups) * kernel[0] * kernel[1], seed + 1), "int64");
          const record = naiveConv(x, w, null, { stride, padding, dilation, groups });
          const reads = new Map<string, Set<string>>();
          for (const [i, j] of outputs(record)) {
            const why = explainConv(record, 1, 1, i, j);
            expect(why.total).toBe(why.engine);
            for (const term of why.terms[0]!)
              if (term.inside) {
                const key = `${term.row},${term.col}`;
                reads.set(key, (reads.get(key) ?? new Set()).add(`${i},${j},${term.u},${term.v}`));
              }
          }
          let unread = 0;
          for (let row = 0; row < size[0]; row++)
            for (let col = 0; col < size[1]; col++) {
              const found = readersOf(record.geometry, row, col).map(({ i, j, u, v }) => `${i},${j},${u},${v}`);
              expect(new Set(found)).toEqual(reads.get(`${row},${col}`) ?? new Set());
              expect(convReaders(record, { ...CONV_START, row, col }).length).toBe(found.length);
              if (found.length === 0) unread++;
            }
          expect(unreadCount(convAxes(record))).toBe(unread);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("pooling: candidates, winners, divisors, unread cells", () => {
    fc.assert(
      fc.property(
        pair(1, 9),
        pair(1, 4),
        fc.option(pair(1, 4)),
        pair(0, 2),
        pair(1, 2),
        fc.boolean(),
        fc.boolean(),
        fc.constantFrom("max_pool2d" as const, "avg_pool2d" as const),
        fc.nat(99),
        (size, kernel, stride, padding, dilated, ceilMode, countIncludePad, op, seed) => {
          const dilation: Pair = op === "max_pool2d" ? dilated : [1, 1];
          fc.pre([0, 1].every((a) => padding[a]! <= (dilation[a]! * (kernel[a]! - 1) + 1) / 2));
          fc.pre([0, 1].every((a) => dilation[a]! * (kernel[a]! - 1) + 1 <= size[a]! + 2 * padding[a]!));
          const record = naivePool(view([1, 2, ...size], numbers(2 * size[0] * size[1], seed)), op, {
            kernelSize: kernel,
            stride,
            padding,
            dilation,
            ceilMode,
            countIncludePad,
            divisorOverride: null,
          });
          const read = new Set<number>();
          for (const [i, j] of outputs(record)) {
            const why = explainPool(record, 0, 1, i, j);
            expect(why.agrees).toBe(true);
            for (const cell of why.candidates) if (cell.place === "inside") read.add(cell.row * size[1] + cell.col);
          }
          expect(unreadCount(poolAxes(record))).toBe(size[0] * size[1] - read.size);
        },
      ),
      { numRuns: 150 },
    );
  });
});

test("rolling moves every pixel and brings the last column to the front", () => {
  const [record] = fixtures<PoolRecord>("seedPool");
  expect(rollInput(record!, 1, "cols").slice(0, 5)).toEqual([1, 1, 2, 0, 3]);
  expect(rollInput(record!, 1, "rows").slice(0, 5)).toEqual([2, 1, 0, 1, 1]);
});
