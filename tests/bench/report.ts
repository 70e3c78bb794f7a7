/** From times to what they say: a table for people, ratios, and the goals that are met or missed. */
import type { Outcome, Room } from "./rooms.ts";
import { WORKS, type WorkName } from "./works.ts";

/** Work → participant → what came of it. */
export type Results = Partial<Record<WorkName, Record<string, Outcome>>>;

const worksOf = (results: Results) => Object.keys(results) as WorkName[];

export const OURS = "Stride wasm";
export const OURS_WEBGPU = "Stride webgpu";
export const TORCH = "PyTorch";

export function median(results: Results, work: WorkName, who: string): number | null {
  const outcome = results[work]?.[who];
  return typeof outcome === "object" && outcome !== null ? outcome.median : null;
}

const ms = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(3));

/** A row for each piece of work: milliseconds, and in brackets how many times ours that is. */
export function table(results: Results, us = OURS): string[] {
  const people = [...new Set(worksOf(results).flatMap((work) => Object.keys(results[work] ?? {})))];
  const rows = worksOf(results).map((work) => [
    WORKS[work].title,
    ...people.map((who) => {
      const outcome = results[work]?.[who];
      if (outcome === undefined || outcome === null) return "–";
      if (typeof outcome === "string") return "failed";
      const ours = median(results, work, us);
      return who === us || ours === null
        ? ms(outcome.median)
        : `${ms(outcome.median)} (${(outcome.median / ours).toFixed(2)}×)`;
    }),
  ]);
  const all = [["milliseconds, median (× ours)", ...people], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return [line(all[0]!), ...rows.map(line)];
}

/** Sentences of those who tried and could not. */
export function failures(results: Results): string[] {
  return worksOf(results).flatMap((work) =>
    Object.entries(results[work] ?? {}).flatMap(([who, outcome]) =>
      typeof outcome === "string" ? [`${who}, ${WORKS[work].title}: ${outcome.split("\n")[0]}`] : [],
    ),
  );
}

/** Whoever's answer is not ours did other work: their times are worth nothing. */
export function disagreements(results: Results, us = OURS): string[] {
  return worksOf(results).flatMap((work) => {
    const ours = results[work]?.[us];
    if (typeof ours !== "object" || ours === null) return [];
    return Object.entries(results[work] ?? {}).flatMap(([who, outcome]) => {
      if (typeof outcome !== "object" || outcome === null) return [];
      const far = Math.abs(outcome.answer - ours.answer) > 1e-3 + 1e-3 * Math.abs(ours.answer);
      return far ? [`${who}, ${WORKS[work].title}: ${outcome.answer} instead of ${ours.answer}`] : [];
    });
  });
}

export interface Goal {
  text: string;
  /** What was reached, in the goal's own unit; null where a rival is missing. */
  reached: number | null;
  /** The bound and the aim; `more` says which side is good. */
  bound: number;
  aim: number;
  more: boolean;
}

/** The goals of the project, filled in. Ratios are of medians of one run. */
export function goals(results: Results, peak: Room["peak"]): Goal[] {
  const of = (work: WorkName, who: string) => median(results, work, who);
  const ratio = (a: number | null, b: number | null) => (a === null || b === null ? null : a / b);
  const ours = (work: WorkName) => of(work, OURS);
  const perFlop = (work: WorkName) => ratio(ours(work), WORKS[work].flop);
  const fastest = (work: WorkName, who: string[]) => {
    const times = who.map((name) => of(work, name)).filter((time) => time !== null);
    return times.length > 0 ? Math.min(...times) : null;
  };
  const rate = ratio(WORKS.gemm512.flop / 1e6, ours("gemm512"));
  const tf = "TensorFlow.js wasm";
  return [
    {
      text: "training step, batch 64: of PyTorch's time",
      reached: ratio(ours("step64"), of("step64", TORCH)),
      bound: 1.7,
      aim: 1,
      more: false,
    },
    {
      text: "training step, batch 64: of PyTorch's time, channels_last",
      reached: ratio(ours("step64"), of("step64", "PyTorch channels_last")),
      bound: Number.POSITIVE_INFINITY,
      aim: 1,
      more: false,
    },
    {
      text: "training step, batch 64: times faster than the fastest browser CPU peer",
      reached: ratio(fastest("step64", ["TensorFlow.js cpu", "jax-js wasm"]), ours("step64")),
      bound: 100,
      aim: 100,
      more: true,
    },
    {
      text: "training step, batch 1: of PyTorch's time",
      reached: ratio(ours("step1"), of("step1", TORCH)),
      bound: 1.5,
      aim: 1,
      more: false,
    },
    {
      text: "forward, batch 64: of the faster of TensorFlow.js WASM and onnxruntime-web",
      reached: ratio(ours("forward64"), fastest("forward64", [tf, "onnxruntime-web"])),
      bound: 1,
      aim: 0.8,
      more: false,
    },
    {
      text: "GEMM 512³: of the machine's peak",
      reached: ratio(rate, peak?.relaxed ?? peak?.plain ?? null),
      bound: 0.75,
      aim: 0.85,
      more: true,
    },
    {
      text: "63×127×65: time per FLOP, of 64×128×64",
      reached: ratio(perFlop("gemm63x127x65"), perFlop("gemm64x128x64")),
      bound: 1.4,
      aim: 1.2,
      more: false,
    },
    {
      text: "101³: time per FLOP, of 100³",
      reached: ratio(perFlop("gemm101"), perFlop("gemm100")),
      bound: 1.4,
      aim: 1.2,
      more: false,
    },
    {
      text: "max-pool: of TensorFlow.js WASM's time",
      reached: ratio(ours("maxPool"), of("maxPool", tf)),
      bound: 1,
      aim: 1,
      more: false,
    },
    {
      text: "ReLU: of TensorFlow.js WASM's time",
      reached: ratio(ours("relu"), of("relu", tf)),
      bound: 1,
      aim: 1,
      more: false,
    },
  ];
}

const WEBGPU_PEERS = ["TensorFlow.js webgpu", "jax-js webgpu"];

/** Goals on the software adapter: ours beside the best peer on the same adapter in the same run. */
export function webgpuGoals(results: Results): Goal[] {
  const against = (work: WorkName, bound: number, aim: number): Goal => {
    const ours = median(results, work, OURS_WEBGPU);
    const times = WEBGPU_PEERS.map((who) => median(results, work, who)).filter((time) => time !== null);
    return {
      text: `${WORKS[work].title}: of the best peer's time`,
      reached: ours === null || times.length === 0 ? null : ours / Math.min(...times),
      bound,
      aim,
      more: false,
    };
  };
  const fastest: WorkName[] = ["conv1", "conv2", "conv3", "convInput", "convWeight", "gemm512", "maxPool"];
  return [against("step64", 0.5, 0.35), ...fastest.map((work) => against(work, 1, 0.5))];
}

export function goalLine({ text, reached, bound, aim, more }: Goal): string {
  if (reached === null) return `  ?  ${text}: not measured`;
  const holds = (limit: number) => (more ? reached >= limit : reached <= limit);
  const mark = holds(aim) ? "✓✓" : !holds(bound) ? "✗ " : Number.isFinite(bound) ? "✓ " : "· ";
  const limit = Number.isFinite(bound) ? `${bound}, aim ${aim}` : `aim ${aim}`;
  return `  ${mark} ${text}: ${reached.toFixed(2)} (${more ? "at least" : "at most"} ${limit})`;
}
