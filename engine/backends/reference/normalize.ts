/** Normalisation of groups of numbers, its gradients, and the moments that it goes by. Computed in double until stored. */
import type { View } from "../backend.ts";
import { forEachRun, sizeOf, splitAxes } from "./strided.ts";

/** The mean and Σ(x - mean)²: two passes, so that a large mean leaves the spread its digits. */
function momentsOf(x: View): { mean: number; squares: number } {
  let sum = 0;
  forEachRun([x], (length, [offset], [step]) => {
    for (let t = 0, i = offset!; t < length; t++, i += step!) sum += x.data[i]!;
  });
  const mean = sum / sizeOf(x);
  let squares = 0;
  forEachRun([x], (length, [offset], [step]) => {
    for (let t = 0, i = offset!; t < length; t++, i += step!) squares += (x.data[i]! - mean) ** 2;
  });
  return { mean, squares };
}

export function moments(x: View, divisor: number, mean: View, variance: View): void {
  const [kept, reduced] = splitAxes(x, mean.shape.length);
  let at = 0;
  forEachRun([kept], (length, [offset], [step]) => {
    for (let t = 0; t < length; t++, at++) {
      const found = momentsOf({ ...reduced, offset: offset! + t * step! });
      mean.data[mean.offset + at] = found.mean;
      variance.data[variance.offset + at] = found.squares / divisor;
    }
  });
}

/** The part of a view of [outer, groups, runs, inner] that is one group. */
function groupOf(x: View, outer: number, group: number): View {
  const [outerStep, groupStep, ...strides] = x.strides as [number, number, ...number[]];
  return { ...x, shape: x.shape.slice(2), strides, offset: x.offset + outer * outerStep + group * groupStep };
}

/** What takes the place of a factor or a summand that is not there. */
function repeated(value: number, like: View): View {
  return { ...like, data: new Float64Array([value]), strides: like.shape.map(() => 0), offset: 0 };
}

/** Visits the groups of [outer, groups, runs, inner], each with its number. */
function forEachGroup(x: View, visit: (outer: number, group: number, at: number) => void): void {
  const [outer, groups] = x.shape as [number, number, number, number];
  for (let a = 0; a < outer; a++) for (let b = 0; b < groups; b++) visit(a, b, a * groups + b);
}

/** Whether weight changes along the innermost axis, as in layer normalisation. */
const changesWithin = (weight: View | null) => weight !== null && weight.shape[3]! > 1 && weight.strides[3] !== 0;

/** Whether a whole group has one weight, as in batch normalisation. */
const isOnePerGroup = (weight: View | null) =>
  weight === null || (!changesWithin(weight) && (weight.shape[2] === 1 || weight.strides[2] === 0));

export function normalize(
  x: View,
  weight: View | null,
  bias: View | null,
  eps: number,
  given: boolean,
  out: View,
  mean: View,
  variance: View,
): void {
  const isRowwise = changesWithin(weight);
  forEachGroup(x, (a, b, at) => {
    const views = [x, out, weight ?? repeated(1, x), bias ?? repeated(0, x)].map((view) => groupOf(view, a, b));
    const own = given ? null : momentsOf(views[0]!);
    const centre = own?.mean ?? mean.data[mean.offset + at]!;
    const spread = own ? own.squares / sizeOf(views[0]!) : variance.data[variance.offset + at]!;
    const scale = 1 / Math.sqrt(spread + eps);
    const [from, to, factors, summands] = views.map(({ data }) => data);
    forEachRun(views, (length, [i, j, k, l], [di, dj, dk, dl]) => {
      for (let t = 0; t < length; t++) {
        const value = from![i! + t * di!]!;
        const factor = factors![k! + t * dk!]!;
        const summand = summands![l! + t * dl!]!;
        const slope = scale * factor;
        // PyTorch multiplies the mean by the slope first, except along rows: only infinities show it.
        const split = !isRowwise && !(Number.isFinite(slope) && Number.isFinite(centre));
        to![j! + t * dj!] = split
          ? value * slope + (summand - centre * slope)
          : (value - centre) * scale * factor + summand;
      }
    });
    if (!own) return;
    mean.data[mean.offset + at] = centre;
    variance.data[variance.offset + at] = spread;
  });
}

/** Sums in double that come to lie where a view's numbers do. */
class Sums {
  readonly view: View | null;
  readonly data: Float64Array;

  constructor(view: View | null) {
    this.view = view;
    this.data = new Float64Array(view ? view.shape.reduce((end, n, d) => end + (n - 1) * view.strides[d]!, 1) : 0);
  }

  store(): void {
    if (this.view) for (let i = 0; i < this.data.length; i++) this.view.data[this.view.offset + i] = this.data[i]!;
  }
}

export function normalizeGrad(
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
): void {
  const forWeight = new Sums(gradWeight && sizeOf(x) > 0 ? gradWeight : null);
  const forBias = new Sums(gradBias && sizeOf(x) > 0 ? gradBias : null);
  const affine = gradWeight ?? gradBias;
  // A group's only weight is taken out of the sums, where an infinite one would end up as a difference of infinities.
  const taken = isOnePerGroup(weight);
  forEachGroup(x, (a, b, at) => {
    const centre = mean.data[mean.offset + at]!;
    const scale = 1 / Math.sqrt(variance.data[variance.offset + at]! + eps);
    const places = affine ? { ...affine, offset: 0 } : repeated(0, x);
    const parts = [gradOut, x, weight ?? repeated(1, x), places].map((view) => groupOf(view, a, b));
    const count = sizeOf(parts[1]!);
    const [grads, from, factors] = parts.map(({ data }) => data);
    let sum = 0;
    let product = 0;
    forEachRun(parts, (length, [i, j, k, l], [di, dj, dk, dl]) => {
      for (let t = 0; t < length; t++) {
        const grad = grads![i! + t * di!]!;
        const normal = (from![j! + t * dj!]! - centre) * scale;
        const place = l! + t * dl!;
        if (gradWeight) forWeight.data[place]! += grad * normal;
        if (gradBias) forBias.data[place]! += grad;
        const part = taken ? grad : grad * factors![k! + t * dk!]!;
        sum += part;
        product += part * normal;
      }
    });
    if (!gradInput) return;
    const [average, along] = [sum / count, product / count];
    const to = groupOf(gradInput, a, b);
    forEachRun([...parts.slice(0, 3), to], (length, [i, j, k, l], [di, dj, dk, dl]) => {
      for (let t = 0; t < length; t++) {
        const factor = factors![k! + t * dk!]!;
        const grad = taken ? grads![i! + t * di!]! : grads![i! + t * di!]! * factor;
        // Statistics that are given do not depend on the input.
        const slope = given ? grad : grad - average - (from![j! + t * dj!]! - centre) * scale * along;
        to.data[l! + t * dl!] = scale * slope * (taken ? factor : 1);
      }
    });
  });
  forWeight.store();
  forBias.store();
}
