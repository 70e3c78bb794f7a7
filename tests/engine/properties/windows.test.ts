/**
 * Where windows read: `windowOf` and `readersOf` against a padded plane that is built cell by cell, and both against what
 * the operations really did, as their gradients tell.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { setRecorder } from "../../../engine/inspect/recorder.ts";
import type { OpRecord } from "../../../engine/inspect/records.ts";
import { readersOf, type WindowGeometry, windowOf } from "../../../engine/inspect/windows.ts";
import * as F from "../../../engine/nn/functional.ts";
import * as torch from "../../../engine/torch.ts";

type Pair = [number, number];

interface Setting {
  size: Pair;
  kernel: Pair;
  stride: Pair;
  padding: Pair;
  dilation: Pair;
}

const pair = (min: number, max: number) => fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
const setting = fc.noBias(
  fc.record({ size: pair(1, 9), kernel: pair(1, 4), stride: pair(1, 4), padding: pair(0, 3), dilation: pair(1, 3) }),
);

const extent = (s: Setting, axis: 0 | 1) => s.dilation[axis] * (s.kernel[axis] - 1) + 1;
const fits = (s: Setting) => ([0, 1] as const).every((axis) => s.size[axis] + 2 * s.padding[axis] >= extent(s, axis));
/** Pools take at most half a window of padding. */
const poolable = (s: Setting) => fits(s) && s.padding.every((p, axis) => 2 * p <= s.kernel[axis]!);

/** Where windows begin along one axis, in cells of the padded plane, by trying every start. */
function starts(s: Setting, axis: 0 | 1, after: number, ceilMode = false): number[] {
  const plane = s.size[axis] + s.padding[axis] + after;
  const found: number[] = [];
  for (let start = 0; ; start += s.stride[axis]) {
    const whole = start + extent(s, axis) <= plane;
    // With ceilMode one more window may hang over the end, if what came before it left something out and it begins before
    // the padding at the end does.
    const covered = found.length > 0 && found[found.length - 1]! + extent(s, axis) >= plane;
    const hangsOver = ceilMode && !covered && found.length > 0 && start < s.size[axis] + s.padding[axis];
    if (!whole && !hangsOver) return found;
    found.push(start);
    if (!whole) return found;
  }
}

/** The cells under a window, as text: kernel position and cell, or "-" for padding. */
function laid(s: Setting, top: number, left: number): string[] {
  const plane = new Map<string, string>();
  for (let row = 0; row < s.size[0]; row++) {
    for (let col = 0; col < s.size[1]; col++) plane.set(`${row + s.padding[0]},${col + s.padding[1]}`, `${row},${col}`);
  }
  const cells: string[] = [];
  for (let u = 0; u < s.kernel[0]; u++) {
    for (let v = 0; v < s.kernel[1]; v++) {
      const under = plane.get(`${top + u * s.dilation[0]},${left + v * s.dilation[1]}`) ?? "-";
      cells.push(`${u},${v} on ${under}`);
    }
  }
  return cells;
}

function checkMaps(g: WindowGeometry, s: Setting, tops: number[], lefts: number[]): void {
  expect([g.outH, g.outW]).toEqual([tops.length, lefts.length]);
  const readers = new Map<string, string[]>();
  tops.forEach((top, i) => {
    lefts.forEach((left, j) => {
      const cells = windowOf(g, i, j);
      const told = cells.map(({ u, v, row, col, inside }) => `${u},${v} on ${inside ? `${row},${col}` : "-"}`);
      expect(told).toEqual(laid(s, top, left));
      for (const { u, v, row, col, inside } of cells) {
        if (!inside) continue;
        const key = `${row},${col}`;
        readers.set(key, [...(readers.get(key) ?? []), `${i},${j} by ${u},${v}`]);
      }
    });
  });
  for (let row = 0; row < s.size[0]; row++) {
    for (let col = 0; col < s.size[1]; col++) {
      const told = readersOf(g, row, col).map(({ i, j, u, v }) => `${i},${j} by ${u},${v}`);
      expect(told).toEqual(readers.get(`${row},${col}`) ?? []);
    }
  }
}

/** What the engine notes of a call, and what the call gave. */
function recorded<T>(run: () => T): { record: OpRecord; result: T } {
  const records: OpRecord[] = [];
  const before = setRecorder((draft) => records.push(draft.take()));
  try {
    const result = run();
    expect(records.length).toBe(1);
    return { record: records[0]!, result };
  } finally {
    setRecorder(before);
  }
}

function image(size: Pair): torch.Tensor {
  return torch
    .arange(size[0] * size[1], { dtype: torch.float64 })
    .reshape(1, 1, ...size)
    .requiresGrad_();
}

/** The slopes of one output cell by input cell, as text where they are not 0. */
function slopesOf(x: torch.Tensor, y: torch.Tensor, i: number, j: number): Record<string, number> {
  const [grad] = torch.autograd.grad(y.get(0, 0, i, j), x, { retainGraph: true });
  const found: Record<string, number> = {};
  (grad!.reshape(x.shape[2]!, x.shape[3]!).tolist() as number[][]).forEach((line, row) => {
    line.forEach((slope, col) => {
      if (slope !== 0) found[`${row},${col}`] = slope;
    });
  });
  return found;
}

describe("windows of a convolution", () => {
  it("lie where the padded plane says, for every stride, padding and dilation, and read what the kernel reads", () => {
    fc.assert(
      fc.property(setting.filter(fits), (s) => {
        const x = image(s.size);
        const w = torch.arange(1, s.kernel[0] * s.kernel[1] + 1, { dtype: torch.float64 }).reshape(1, 1, ...s.kernel);
        const { stride, padding, dilation } = s;
        const { record, result } = recorded(() => F.conv2d(x, w, { stride, padding, dilation }));
        const [tops, lefts] = [starts(s, 0, padding[0]), starts(s, 1, padding[1])];
        checkMaps(record.geometry, s, tops, lefts);
        const [i, j] = [tops.length - 1, lefts.length >> 1];
        const expected: Record<string, number> = {};
        for (const { u, v, row, col, inside } of windowOf(record.geometry, i, j)) {
          if (inside) expected[`${row},${col}`] = w.get(0, 0, u, v).item();
        }
        expect(slopesOf(x, result, i, j)).toEqual(expected);
      }),
      { seed: 1, numRuns: 250 },
    );
  });

  it("with padding 'same' give as many outputs as inputs, the odd cell of padding at the end", () => {
    fc.assert(
      fc.property(setting, ({ size, kernel, dilation }) => {
        const given: Setting = { size, kernel, dilation, stride: [1, 1], padding: [0, 0] };
        const all: Pair = [extent(given, 0) - 1, extent(given, 1) - 1];
        const s: Setting = { ...given, padding: [Math.floor(all[0] / 2), Math.floor(all[1] / 2)] };
        const { record } = recorded(() =>
          F.conv2d(image(size), torch.ones([1, 1, ...kernel], { dtype: torch.float64 }), { padding: "same", dilation }),
        );
        checkMaps(record.geometry, s, starts(s, 0, all[0] - s.padding[0]), starts(s, 1, all[1] - s.padding[1]));
        expect([record.geometry.outH, record.geometry.outW]).toEqual(size);
      }),
      { seed: 2, numRuns: 100 },
    );
  });

  it("say for a transposed one which inputs an output sums", () => {
    fc.assert(
      fc.property(setting.filter(fits), ({ size, kernel, stride, padding, dilation }) => {
        const x = image(size);
        const w = torch.arange(1, kernel[0] * kernel[1] + 1, { dtype: torch.float64 }).reshape(1, 1, ...kernel);
        const sides = ([0, 1] as const).map(
          (axis) => (size[axis] - 1) * stride[axis] - 2 * padding[axis] + dilation[axis] * (kernel[axis] - 1) + 1,
        ) as Pair;
        fc.pre(sides.every((side) => side > 0));
        const y = F.convTranspose2d(x, w, { stride, padding, dilation });
        expect(y.shape.slice(2)).toEqual(sides);
        // The convolution that it turns round: from the output to the input.
        const g: WindowGeometry = {
          ...{ h: sides[0], w: sides[1], outH: size[0], outW: size[1], kernelH: kernel[0], kernelW: kernel[1] },
          ...{ strideH: stride[0], strideW: stride[1], padTop: padding[0], padLeft: padding[1] },
          ...{ dilationH: dilation[0], dilationW: dilation[1] },
        };
        for (let row = 0; row < sides[0]; row++) {
          for (let col = 0; col < sides[1]; col++) {
            const sum = readersOf(g, row, col).reduce(
              (total, { i, j, u, v }) => total + x.get(0, 0, i, j).item() * w.get(0, 0, u, v).item(),
              0,
            );
            expect(y.get(0, 0, row, col).item()).toBe(sum);
          }
        }
      }),
      { seed: 3, numRuns: 80 },
    );
  });
});

describe("windows of a pool", () => {
  it("lie where the padded plane says, the last one hanging over with ceilMode, and the largest cell wins", () => {
    fc.assert(
      fc.property(setting.filter(poolable), fc.boolean(), (s, ceilMode) => {
        const { kernel, stride, padding, dilation } = s;
        const x = image(s.size);
        const { record, result } = recorded(() =>
          F.maxPool2d(x, kernel, { stride, padding, dilation, ceilMode, returnIndices: true }),
        );
        const [tops, lefts] = [starts(s, 0, padding[0], ceilMode), starts(s, 1, padding[1], ceilMode)];
        checkMaps(record.geometry, s, tops, lefts);
        tops.forEach((_, i) => {
          lefts.forEach((_left, j) => {
            const inside = windowOf(record.geometry, i, j).filter((cell) => cell.inside);
            // The picture counts upwards: the last cell of a window is its largest. A dilated one may read none at all.
            const winner = inside.at(-1);
            if (winner) expect(result[1].get(0, 0, i, j).item()).toBe(winner.row * s.size[1] + winner.col);
          });
        });
      }),
      { seed: 4, numRuns: 250 },
    );
  });

  it("average the cells that they read, in equal shares", () => {
    fc.assert(
      fc.property(setting.filter(poolable), fc.boolean(), (drawn, ceilMode) => {
        const s: Setting = { ...drawn, dilation: [1, 1] };
        const { kernel, stride, padding } = s;
        const x = image(s.size);
        const { record, result } = recorded(() =>
          F.avgPool2d(x, kernel, { stride, padding, ceilMode, countIncludePad: false }),
        );
        const [tops, lefts] = [starts(s, 0, padding[0], ceilMode), starts(s, 1, padding[1], ceilMode)];
        checkMaps(record.geometry, s, tops, lefts);
        const [i, j] = [tops.length - 1, lefts.length - 1];
        const inside = windowOf(record.geometry, i, j).filter((cell) => cell.inside);
        const expected = Object.fromEntries(inside.map(({ row, col }) => [`${row},${col}`, 1 / inside.length]));
        expect(slopesOf(x, result, i, j)).toEqual(expected);
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it("to a size share the cells out: each begins where the one before ends, or one cell earlier", () => {
    fc.assert(
      fc.property(fc.noBias(pair(1, 9)), fc.noBias(pair(1, 6)), (size, out) => {
        const x = image(size);
        const y = F.adaptiveAvgPool2d(x, out);
        expect(y.shape.slice(2)).toEqual(out);
        /** The cells whose stretch [k / size, (k + 1) / size) meets window number i's of [i / out, (i + 1) / out). */
        const met = (axis: 0 | 1, i: number) =>
          Array.from({ length: size[axis] }, (_, k) => k).filter(
            (k) => (k + 1) * out[axis] > i * size[axis] && k * out[axis] < (i + 1) * size[axis],
          );
        for (let i = 0; i < out[0]; i++) {
          for (let j = 0; j < out[1]; j++) {
            const cells = met(0, i).flatMap((row) => met(1, j).map((col) => `${row},${col}`));
            const found = slopesOf(x, y, i, j);
            expect(Object.keys(found)).toEqual(cells);
            for (const slope of Object.values(found)) expect(slope).toBeCloseTo(1 / cells.length, 12);
          }
        }
      }),
      { seed: 6, numRuns: 100 },
    );
  });
});
