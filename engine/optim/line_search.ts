/** A step length that satisfies the strong Wolfe conditions: what LBFGS can search along its direction. */

/** The objective at one step length, and the slope along the direction there. */
export interface Point<G> {
  t: number;
  value: number;
  slope: number;
  gradient: G;
}

/** Share of the expected decrease that has to come about, and of the slope that may be left. */
const DECREASE = 1e-4;
const CURVATURE = 0.9;

/** The minimum of the cubic through two points with their slopes, within bounds. */
function cubicMinimum<G>(a: Point<G>, b: Point<G>, bounds?: [number, number]): number {
  const [low, high] = bounds ?? [Math.min(a.t, b.t), Math.max(a.t, b.t)];
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.t - b.t);
  const square = d1 ** 2 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const at =
    a.t <= b.t
      ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
      : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
  return Math.min(Math.max(at, low), high);
}

export interface SearchOptions {
  /** The first step length to try. */
  t: number;
  /** The largest element of the direction. */
  size: number;
  /** Narrower brackets than this are not narrowed further. */
  toleranceChange?: number;
  /** How many points may be tried after the first. */
  most: number;
}

/**
 * PyTorch's `_strong_wolfe`: widens a bracket until it holds a good point, then narrows it.
 * @param evaluate the objective at a step length
 * @param start where the search begins: step length 0
 * @returns the point that was found and how often the objective was evaluated
 */
export function strongWolfe<G>(
  evaluate: (t: number) => Point<G>,
  start: Point<G>,
  { t, size, toleranceChange = 1e-9, most }: SearchOptions,
): { point: Point<G>; evaluations: number } {
  const tooHigh = (p: Point<G>) => p.value > start.value + DECREASE * p.t * start.slope;
  const flat = (p: Point<G>) => Math.abs(p.slope) <= -CURVATURE * start.slope;

  let tried = 0;
  let previous = start;
  let current = evaluate(t);
  let evaluations = 1;
  let bracket: [Point<G>, Point<G>] | null = null;
  while (tried < most) {
    if (tooHigh(current) || (tried > 1 && current.value >= previous.value)) bracket = [previous, current];
    else if (flat(current)) return { point: current, evaluations };
    else if (current.slope >= 0) bracket = [previous, current];
    if (bracket) break;
    const bounds: [number, number] = [current.t + 0.01 * (current.t - previous.t), current.t * 10];
    const next = cubicMinimum(previous, current, bounds);
    previous = current;
    current = evaluate(next);
    evaluations++;
    tried++;
  }
  bracket ??= [start, current];

  let [low, high] = bracket[0].value <= bracket[1].value ? [0, 1] : [1, 0];
  let stalled = false;
  while (tried < most) {
    const [first, second] = bracket;
    if (Math.abs(second.t - first.t) * size < toleranceChange) break;
    let next = cubicMinimum(first, second);
    const [from, to] = [Math.min(first.t, second.t), Math.max(first.t, second.t)];
    const margin = 0.1 * (to - from);
    if (Math.min(to - next, next - from) < margin) {
      // Twice near an end, or on it: a step away from it.
      if (stalled || next >= to || next <= from) {
        next = Math.abs(next - to) < Math.abs(next - from) ? to - margin : from + margin;
        stalled = false;
      } else stalled = true;
    } else stalled = false;

    const point = evaluate(next);
    evaluations++;
    tried++;
    if (tooHigh(point) || point.value >= bracket[low]!.value) {
      bracket[high] = point;
      [low, high] = bracket[0].value <= bracket[1].value ? [0, 1] : [1, 0];
      continue;
    }
    const done = flat(point);
    if (!done && point.slope * (bracket[high]!.t - bracket[low]!.t) >= 0) bracket[high] = bracket[low]!;
    bracket[low] = point;
    if (done) break;
  }
  return { point: bracket[low]!, evaluations };
}
