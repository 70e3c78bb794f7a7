/**
 * Normalisation of float32 and its gradients. A group's numbers are copied in once, measured and normalised there, and copied
 * out. Three ways: groups of long runs one by one (batch and group normalisation of pictures), rows side by side several at a
 * time (layer normalisation), and groups that are columns (a batch of features), which are turned into rows first.
 */

import type { View } from "../backend.ts";
import { isDense, outData, sizeOf, splitAxes } from "../reference/strided.ts";
import type { Scratch } from "./scratch.ts";

/** Floats of each array in work at a time, where rows are short. */
const CHUNK = 16384;

/** What must be in work at a time is no more than this. */
const MOST = 1 << 23;

/** Below this the calls cost more than the loop. */
const FEWEST = 64;

/** Shorter runs are not copied in by themselves: the whole tensor is. */
const SHORTEST_RUN = 64;

type Four = [number, number, number, number];

/** How weight and bias, whichever are there, change along a view. */
function affineSteps(...views: (View | null)[]): Four | null {
  const [first, ...others] = views.filter((view) => view !== null);
  if (!first) return [0, 0, 0, 0];
  if (others.some((view) => view.strides.some((stride, d) => stride !== first.strides[d]))) return null;
  return first.strides as Four;
}

type Way = "rows" | "groups" | "columns";

function wayOf(x: View, steps: Four, given: boolean): Way | null {
  const [outer, groups, runs, inner] = x.shape as Four;
  const [outerStep, groupStep, runStep, innerStep] = x.strides as Four;
  const size = sizeOf(x);
  if (size < FEWEST || x.dtype.name !== "float32") return null;
  if ((innerStep === 1 || inner === 1) && runs === 1 && !given && inner <= MOST) {
    const follow = (groups === 1 || groupStep === inner) && (outer === 1 || outerStep === groups * inner);
    const byColumn = steps[0] === 0 && steps[1] === 0 && steps[3] === 1;
    if (follow && (byColumn || steps.every((step) => step === 0))) return "rows";
  }
  if (innerStep === 1 && inner > 3 && steps[3] === 0) {
    const most = inner < SHORTEST_RUN ? size : runs * inner;
    return most <= MOST ? "groups" : null;
  }
  const isColumn = outer === 1 && groupStep === 1 && steps[2] === 0 && steps[3] === 0 && size <= MOST;
  if (isColumn && (inner === 1 || innerStep === groups) && (runs === 1 || runStep === groups * inner)) return "columns";
  return null;
}

/** Weight or bias, or a weight of 1 each, or nothing, where the kernels read them. */
function copyAffine(s: Scratch, view: View | null): number {
  if (!view) return 0;
  const count = view.shape.reduce((end, n, d) => end + (n - 1) * view.strides[d]!, 1);
  const pointer = s.floats(count);
  s.write(pointer, view.data, view.offset, count);
  return pointer;
}

/** Whether all numbers of small operands are finite: the order of operations shows in what infinities come to. */
function areFinite(...views: (View | null)[]): boolean {
  return views.every((view) => {
    if (view === null) return true;
    const end = view.shape.reduce((last, n, d) => last + (n - 1) * view.strides[d]!, view.offset);
    for (let i = view.offset; i <= end; i++) if (!Number.isFinite(view.data[i])) return false;
    return true;
  });
}

type GroupRun = (pointers: number[], runs: number, pitch: number, at: number, affine: number) => void;

/** Copies the groups of views that lie alike in, calls `run` for each, and copies what is then in the first pointer out. */
function eachGroup(s: Scratch, inputs: readonly View[], out: View | null, steps: Four, way: Way, run: GroupRun): void {
  const [x] = inputs as [View];
  const [outer, groups, runs, inner] = x.shape as Four;
  const [outerStep, groupStep, runStep] = x.strides as Four;
  const size = sizeOf(x);
  if (way === "columns") {
    const turned = inputs.map((view) => {
      const from = s.floats(size);
      s.write(from, view.data, view.offset, size);
      const to = s.floats(size);
      s.call.transpose(from, runs * inner, groups, to);
      return { from, to };
    });
    const length = 4 * runs * inner;
    const pointersAt = (b: number) => turned.map(({ to }) => to + b * length);
    for (let b = 0; b < groups; b++) run(pointersAt(b), 1, length, b, b * steps[1]);
    if (!out) return;
    s.call.transpose(turned[0]!.to, groups, runs * inner, turned[0]!.from);
    s.read(turned[0]!.from, size, out.data, out.offset);
    return;
  }
  const isWhole = inner < SHORTEST_RUN && isDenseInAll(x);
  const pointers = inputs.map((view) => {
    const pointer = s.floats(isWhole ? size : runs * inner);
    if (isWhole) s.write(pointer, view.data, view.offset, size);
    return pointer;
  });
  const together = runStep === inner || runs === 1;
  const [blocks, block] = together ? [1, runs * inner] : [runs, inner];
  for (let a = 0; a < outer; a++) {
    for (let b = 0; b < groups; b++) {
      const base = a * outerStep + b * groupStep;
      const affine = a * steps[0] + b * steps[1];
      if (isWhole) {
        run(
          pointers.map((pointer) => pointer + 4 * base),
          runs,
          4 * runStep,
          a * groups + b,
          affine,
        );
        continue;
      }
      for (const [i, view] of inputs.entries()) {
        for (let r = 0; r < blocks; r++) {
          s.write(pointers[i]! + 4 * r * block, view.data, view.offset + base + r * runStep, block);
        }
      }
      run(pointers, runs, 4 * inner, a * groups + b, affine);
      if (!out) continue;
      for (let r = 0; r < blocks; r++) {
        s.read(pointers[0]! + 4 * r * block, block, out.data, out.offset + base + r * runStep);
      }
    }
  }
  if (isWhole && out) s.read(pointers[0]!, size, out.data, out.offset);
}

/** Whether a view of four axes fills a stretch of memory, in whatever order. */
function isDenseInAll(x: View): boolean {
  const order = [0, 1, 2, 3].sort((a, b) => x.strides[b]! - x.strides[a]! || a - b);
  const sorted = { ...x, shape: order.map((d) => x.shape[d]!), strides: order.map((d) => x.strides[d]!) };
  return isDense(sorted);
}

/** Whether views lie alike, each without gaps. */
function lieAlike(...views: View[]): boolean {
  const [first] = views as [View];
  if (!isDenseInAll(first)) return false;
  return views.every(
    (x) =>
      x.dtype.name === "float32" && x.strides.every((stride, d) => x.shape[d] === 1 || stride === first.strides[d]),
  );
}

export function normalize(
  s: Scratch,
  x: View,
  weight: View | null,
  bias: View | null,
  eps: number,
  given: boolean,
  out: View,
  mean: View,
  variance: View,
): boolean {
  const steps = affineSteps(weight, bias);
  const way = steps && wayOf(x, steps, given);
  if (!way || !lieAlike(x, out) || !areFinite(weight, given ? mean : null)) return false;
  const [outer, groups, runs, inner] = x.shape as Four;
  const [means, variances] = [outData(mean), outData(variance)];
  s.begin();
  const [w, b] = [copyAffine(s, weight), copyAffine(s, bias)];
  if (way === "rows") {
    const isOne = (weight ?? bias) !== null && steps[3] === 0;
    if (isOne) return false;
    const rows = outer * groups;
    const most = Math.min(rows, Math.max(1, Math.floor(CHUNK / inner)));
    const [from, to, found] = [s.floats(most * inner), s.floats(most * inner), s.doubles(2 * most)];
    for (let r = 0; r < rows; r += most) {
      const some = Math.min(most, rows - r);
      s.write(from, x.data, x.offset + r * inner, some * inner);
      s.call.normalizeRows(from, some, inner, eps, w, b, to, found);
      s.read(to, some * inner, out.data, out.offset + r * inner);
      const moments = s.viewDoubles(found, 2 * some);
      for (let i = 0; i < some; i++) {
        means[r + i] = moments[2 * i]!;
        variances[r + i] = moments[2 * i + 1]! / inner;
      }
    }
    return true;
  }
  const count = runs * inner;
  const length = way === "columns" ? count : inner;
  const found = s.doubles(2);
  eachGroup(s, [x], out, steps, way, ([pointer], some, pitch, at, affine) => {
    let centre = means[at]!;
    let spread = variances[at]!;
    if (!given) {
      s.call.groupMoments(pointer!, some, pitch, length, found);
      const [first, squares] = s.viewDoubles(found, 2);
      centre = first!;
      spread = squares! / count;
      means[at] = centre;
      variances[at] = spread;
    }
    const scale = 1 / Math.sqrt(spread + eps);
    const [factors, summands] = [w && w + 4 * affine, b && b + 4 * affine];
    s.call.normalizeGroup(pointer!, some, pitch, length, centre, scale, factors, summands, 4 * steps[2]);
  });
  return true;
}

export function normalizeGrad(
  s: Scratch,
  gradOut: View,
  x: View,
  mean: View,
  variance: View,
  weight: View | null,
  eps: number,
  given: boolean,
  gradInput: View | null,
  gradWeight: View | null,
  gradBias: View | null,
): boolean {
  const steps = affineSteps(weight, gradWeight, gradBias);
  const way = steps && wayOf(x, steps, given);
  if (!way || !lieAlike(x, gradOut, ...(gradInput ? [gradInput] : [])) || !areFinite(weight)) return false;
  const [outer, groups, runs, inner] = x.shape as Four;
  const [means, variances] = [outData(mean), outData(variance)];
  const scaleOf = (at: number) => 1 / Math.sqrt(variances[at]! + eps);
  s.begin();
  const w = copyAffine(s, weight);
  const affine = gradWeight ?? gradBias;
  if (way === "rows") {
    if ((weight ?? affine) !== null && steps[3] === 0) return false;
    const rows = outer * groups;
    const most = Math.min(rows, Math.max(1, Math.floor(CHUNK / inner)));
    const [g, from, to] = [s.floats(most * inner), s.floats(most * inner), s.floats(most * inner)];
    const [moments, forWeight, forBias] = [s.doubles(2 * most), s.doubles(inner + 4), s.doubles(inner + 4)];
    s.fill(forWeight, 2 * (inner + 4), 0);
    s.fill(forBias, 2 * (inner + 4), 0);
    for (let r = 0; r < rows; r += most) {
      const some = Math.min(most, rows - r);
      s.write(g, gradOut.data, gradOut.offset + r * inner, some * inner);
      s.write(from, x.data, x.offset + r * inner, some * inner);
      const pairs = s.viewDoubles(moments, 2 * some);
      for (let i = 0; i < some; i++) {
        pairs[2 * i] = means[r + i]!;
        pairs[2 * i + 1] = scaleOf(r + i);
      }
      if (affine) s.call.normalizeColumnsGrad(g, from, some, inner, moments, forWeight, forBias);
      if (!gradInput) continue;
      s.call.normalizeRowsGrad(g, from, some, inner, moments, w, to);
      s.read(to, some * inner, gradInput.data, gradInput.offset + r * inner);
    }
    gradWeight?.data.set(s.viewDoubles(forWeight, inner), gradWeight.offset);
    gradBias?.data.set(s.viewDoubles(forBias, inner), gradBias.offset);
    return true;
  }
  const total = affine ? affine.shape.reduce((end, n, d) => end + (n - 1) * affine.strides[d]!, 1) : 0;
  const [ofWeight, ofBias] = [new Float64Array(total), new Float64Array(total)];
  const length = way === "columns" ? runs * inner : inner;
  const sums = s.doubles(2 * runs);
  eachGroup(s, [gradOut, x], gradInput, steps, way, ([g, from], some, pitch, at, place) => {
    s.call.normalizeGroupGrad(
      g!,
      from!,
      some,
      pitch,
      length,
      means[at]!,
      scaleOf(at),
      w && w + 4 * place,
      4 * steps[2],
      Number(given),
      Number(gradInput !== null),
      sums,
    );
    if (!affine) return;
    const found = s.viewDoubles(sums, 2 * some);
    for (let r = 0; r < some; r++) {
      ofBias[place + r * steps[2]]! += found[2 * r]!;
      ofWeight[place + r * steps[2]]! += found[2 * r + 1]!;
    }
  });
  gradWeight?.data.set(ofWeight, gradWeight.offset);
  gradBias?.data.set(ofBias, gradBias.offset);
  return true;
}

/**
 * Moments along rows that lie side by side, and of columns of matrices, which are turned first. What is scattered otherwise
 * stays with the reference.
 */
export function moments(s: Scratch, x: View, divisor: number, mean: View, variance: View): boolean {
  if (x.dtype.name !== "float32" || sizeOf(x) < FEWEST) return false;
  const [kept, reduced] = splitAxes(x, mean.shape.length);
  const n = sizeOf(reduced);
  const [means, variances] = [outData(mean), outData(variance)];
  const [step = 1] = reduced.strides;
  const width = step === 1 ? 1 : step;
  const outer = width === 1 ? kept : { ...kept, shape: kept.shape.slice(0, -1), strides: kept.strides.slice(0, -1) };
  const isColumn = kept.shape.at(-1) === width && kept.strides.at(-1) === 1;
  if (reduced.shape.length > 1 || (width > 1 && !isColumn) || n * width > MOST) return false;
  const count = sizeOf(outer);
  const lieInTurn = outer.shape.length === 0 || (outer.shape.length === 1 && outer.strides[0] === n * width);
  if (!lieInTurn) return false;
  s.begin();
  const most = width === 1 ? Math.min(count, Math.max(1, Math.floor(CHUNK / n))) : 1;
  const rows = most * width;
  const from = s.floats(rows * n);
  const turned = width === 1 ? from : s.floats(rows * n);
  const found = s.doubles(2 * rows);
  for (let k = 0; k < count; k += most) {
    const some = Math.min(most, count - k) * width;
    s.write(from, x.data, x.offset + k * width * n, some * n);
    if (width > 1) s.call.transpose(from, n, width, turned);
    s.call.rowMoments(turned, some, n, found);
    const pairs = s.viewDoubles(found, 2 * some);
    for (let i = 0; i < some; i++) {
      means[k * width + i] = pairs[2 * i]!;
      variances[k * width + i] = pairs[2 * i + 1]! / divisor;
    }
  }
  return true;
}
