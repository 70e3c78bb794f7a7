/**
 * node --expose-gc tests/bench/memory.ts STEPS: memory over many training steps, with a sum of losses kept as students keep
 * it. One JSON line: megabytes after every tenth of the steps, after a collection.
 */
import { initWasm } from "../../engine/backends/index.ts";
import type { Tensor } from "../../engine/core/tensor.ts";
import { trainer } from "./peers/stride.ts";

const steps = Number(process.argv[2]);
await initWasm();
const train = trainer(64);
let runningLoss: Tensor | null = null;
const samples: { step: number; heap: number; buffers: number; resident: number }[] = [];
for (let step = 1; step <= steps; step++) {
  const loss = train();
  runningLoss = runningLoss === null ? loss : runningLoss.add(loss);
  if (step % Math.max(1, Math.round(steps / 20)) !== 0) continue;
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, external, rss } = process.memoryUsage();
  const mb = (bytes: number) => Math.round(bytes / 1e5) / 10;
  samples.push({ step, heap: mb(heapUsed), buffers: mb(arrayBuffers + external), resident: mb(rss) });
}
console.log(JSON.stringify({ samples, runningLoss: runningLoss?.item() }));
