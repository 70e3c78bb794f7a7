/** Times a piece of work until enough is known of it. */
import type { Run } from "./works.ts";

export interface Timing {
  median: number;
  least: number;
  runs: number;
  /** What the first run answered: the same for everyone, or it was not the same work. */
  answer: number;
}

/** A browser's clock ticks in tenths of a millisecond: what is shorter than this is repeated until it is not. */
const SAMPLE = 5;

/** A single run that takes longer than this is not repeated. */
const LONG = 10_000;

/**
 * Median and least time in milliseconds. The first run warms up and is not counted, unless it took longer than the whole
 * budget: then it is the measurement.
 * @param atMost how many samples; 1 is a single run after the first
 * @param budget milliseconds to spend, after which no further sample starts
 */
export async function measure(run: Run, budget: number, atMost = 200): Promise<Timing> {
  const timed = async (repeats: number) => {
    const start = performance.now();
    let answer = 0;
    for (let i = 0; i < repeats; i++) answer = await run();
    return { took: (performance.now() - start) / repeats, answer };
  };
  const first = await timed(1);
  if (atMost === 1) {
    // In what takes so long, compiling is a small share.
    const { took } = first.took > LONG ? first : await timed(1);
    return { median: took, least: took, runs: 1, answer: first.answer };
  }
  if (first.took > budget) return { median: first.took, least: first.took, runs: 1, answer: first.answer };
  let repeats = 1;
  for (let warm = await timed(2); warm.took * repeats < SAMPLE; warm = await timed(repeats)) repeats *= 2;
  const times: number[] = [];
  const end = performance.now() + budget;
  while (times.length < atMost && (times.length < 3 || performance.now() < end))
    times.push((await timed(repeats)).took);
  times.sort((a, b) => a - b);
  return {
    median: times[times.length >> 1]!,
    least: times[0]!,
    runs: times.length * repeats,
    answer: first.answer,
  };
}
