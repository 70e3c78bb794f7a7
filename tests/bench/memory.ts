/**
 * Memory over a long training, with a sum of losses kept as students keep it. In a page, or as a process:
 * node --expose-gc tests/bench/memory.ts STEPS, which prints the samples as JSON.
 */
import type { Tensor } from "../../engine/core/tensor.ts";
import { load, trainer } from "./peers/stride.ts";

export interface Sample {
  step: number;
  /** Bytes that JavaScript uses after a collection; in Chromium with array buffers and what V8 compiled. */
  heap: number;
  /** Bytes of what V8 compiled, in Node: more as long as it finds something to optimise. */
  code?: number;
  /** Bytes of WebAssembly's memory. */
  wasm: number;
  /** Bytes of array buffers, where the platform tells. */
  buffers?: number;
}

/** The first steps may grow: memory is compared with what it is after this one. */
export const SETTLED = 100;
/** How far it may be from there, as a share. */
export const TOLERANCE = 0.05;

let memory: WebAssembly.Memory | undefined;
let train: () => Tensor;
let runningLoss: Tensor | undefined;
let step = 0;

export async function start(source?: Parameters<typeof load>[0]): Promise<void> {
  const { Instance } = WebAssembly;
  // The engine keeps its working memory to itself.
  WebAssembly.Instance = new Proxy(Instance, {
    construct(target, args: ConstructorParameters<typeof Instance>) {
      const instance = Reflect.construct(target, args) as WebAssembly.Instance;
      if (instance.exports.memory instanceof WebAssembly.Memory) memory = instance.exports.memory;
      return instance;
    },
  });
  await load(source);
  train = trainer(64);
}

/** Trains up to that step and looks at the memory. */
export function trainTo(last: number): Sample {
  for (; step < last; step++) {
    const loss = train();
    runningLoss = runningLoss ? runningLoss.add(loss) : loss;
  }
  if (!globalThis.gc) throw new Error("start this with --expose-gc: garbage is no growth");
  globalThis.gc();
  globalThis.gc();
  return { step, wasm: memory?.buffer.byteLength ?? 0, ...used() };
}

function used(): Omit<Sample, "step" | "wasm"> {
  if (typeof process !== "undefined") {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const spaces = process.getBuiltinModule("node:v8").getHeapSpaceStatistics();
    const code = spaces
      .filter(({ space_name }) => /code|trusted/.test(space_name))
      .reduce((sum, { space_used_size }) => sum + space_used_size, 0);
    return { heap: heapUsed - code, code, buffers: arrayBuffers };
  }
  // Of Chromium alone, and precise with --enable-precise-memory-info only.
  const { memory: page } = performance as Performance & { memory?: { usedJSHeapSize: number } };
  return { heap: page?.usedJSHeapSize ?? Number.NaN };
}

/** When to look: once settled, and twenty times until the end. */
export function moments(steps: number): number[] {
  const settled = Math.min(SETTLED, Math.ceil(steps / 2));
  return Array.from({ length: 21 }, (_, i) => settled + Math.round(((steps - settled) * i) / 20));
}

/** In a line: what was used once settled, the furthest from there, and whether that is near enough. */
export function verdict(samples: readonly Sample[]): { flat: boolean; line: string } {
  const [settled] = samples;
  if (!settled) return { flat: false, line: "nothing was measured" };
  const mb = (bytes: number) => (bytes / 1e6).toFixed(1);
  let flat = true;
  const parts = (["heap", "buffers", "wasm", "code"] as const).flatMap((kind) => {
    const first = settled[kind];
    if (first === undefined) return [];
    const changes = samples.map((sample) => (sample[kind] ?? first) / first - 1);
    const furthest = changes.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
    if (kind !== "code" && !(Math.abs(furthest) <= TOLERANCE)) flat = false;
    const sign = furthest < 0 ? "−" : "+";
    return [`${kind} ${mb(first)} MB ${sign}${(100 * Math.abs(furthest)).toFixed(1)} %`];
  });
  return { flat, line: `${flat ? "flat" : "NOT FLAT"} from step ${settled.step} on: ${parts.join(", ")}` };
}

if (typeof process !== "undefined" && process.argv[1]?.endsWith("memory.ts")) {
  await start();
  console.log(JSON.stringify(moments(Number(process.argv[2])).map(trainTo)));
}
