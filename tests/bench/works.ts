/** The work that is timed, the same for everyone: its inputs, and the interface behind which each library does it. */

export const WORKS = {
  step64: { title: "training step, batch 64", flop: 4.43e9 },
  step1: { title: "training step, batch 1", flop: 4.43e9 / 64 },
  forward64: { title: "forward, batch 64", flop: 1.48e9 },
  gemm512: { title: "GEMM 512³", flop: 2 * 512 ** 3 },
  gemm64x128x64: { title: "GEMM 64×128×64", flop: 2 * 64 * 128 * 64 },
  gemm63x127x65: { title: "GEMM 63×127×65", flop: 2 * 63 * 127 * 65 },
  gemm100: { title: "GEMM 100³", flop: 2 * 100 ** 3 },
  gemm101: { title: "GEMM 101³", flop: 2 * 101 ** 3 },
  maxPool: { title: "max-pool 2×2 on [64, 32, 32, 32]", flop: null },
  relu: { title: "ReLU on [64, 32, 32, 32]", flop: null },
  conv1: { title: "convolution 3 → 32 on 32×32", flop: null },
  conv2: { title: "convolution 32 → 32 on 16×16", flop: null },
  conv3: { title: "convolution 32 → 64 on 8×8", flop: null },
  convInput: { title: "its input gradient, 32 → 32", flop: null },
  convWeight: { title: "its weight gradient, 32 → 32", flop: null },
} as const satisfies Record<string, { title: string; flop: number | null }>;

export type WorkName = keyof typeof WORKS;

/** What is timed on CPUs, where the steps say enough of convolutions. */
export const CPU_WORKS: readonly WorkName[] = [
  "step64",
  "step1",
  "forward64",
  "gemm512",
  "gemm64x128x64",
  "gemm63x127x65",
  "gemm100",
  "gemm101",
  "maxPool",
  "relu",
];

/** The part that a quick look at WebGPU takes, and all of it. */
export const QUICK_WEBGPU_WORKS: readonly WorkName[] = ["step64", "conv2", "gemm512", "maxPool"];
export const WEBGPU_WORKS: readonly WorkName[] = [
  "step64",
  "step1",
  "forward64",
  "conv1",
  "conv2",
  "conv3",
  "convInput",
  "convWeight",
  "gemm512",
  "maxPool",
  "relu",
];

/** Convolutions of 5 × 5 over a batch of 64, and which of a convolution's three kernels is meant. */
export const CONVS: Partial<
  Record<WorkName, { from: number; to: number; size: number; kernel: "forward" | "input" | "weight" }>
> = {
  conv1: { from: 3, to: 32, size: 32, kernel: "forward" },
  conv2: { from: 32, to: 32, size: 16, kernel: "forward" },
  conv3: { from: 32, to: 64, size: 8, kernel: "forward" },
  convInput: { from: 32, to: 32, size: 16, kernel: "input" },
  convWeight: { from: 32, to: 32, size: 16, kernel: "weight" },
};

/** n, k, m of [n, k] · [k, m]. */
export const GEMMS: Partial<Record<WorkName, readonly [n: number, k: number, m: number]>> = {
  gemm512: [512, 512, 512],
  gemm64x128x64: [64, 128, 64],
  gemm63x127x65: [63, 127, 65],
  gemm100: [100, 100, 100],
  gemm101: [101, 101, 101],
};

/** Does the work once and has its result: a number computed from it, so that no library can leave it undone. */
export type Run = () => number | Promise<number>;

export interface Peer {
  /** "Stride wasm", "TensorFlow.js cpu". */
  readonly name: string;
  /** @returns null where the library has no way to do this */
  prepare(work: WorkName): Promise<Run | null>;
}

/** Uniform numbers in [-scale, scale), the same everywhere. */
export function numbers(count: number, seed: number, scale = 1): Float32Array {
  let state = seed >>> 0 || 1;
  return Float32Array.from({ length: count }, () => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return ((state >>> 0) / 2 ** 31 - 1) * scale;
  });
}

export interface Layer {
  shape: readonly number[];
  weight: Float32Array;
  bias: Float32Array;
}

/** The chapter's network in PyTorch's layout: three 5×5 convolutions, each with a 2×2 max-pool, and two linear layers. */
export function chapterWeights(): { convs: Layer[]; linears: Layer[] } {
  const layer = (shape: readonly number[], seed: number): Layer => {
    const fanIn = shape.slice(1).reduce((a, b) => a * b);
    const count = shape.reduce((a, b) => a * b);
    const bound = 1 / Math.sqrt(fanIn);
    return { shape, weight: numbers(count, seed, bound), bias: numbers(shape[0]!, seed + 1, bound) };
  };
  return {
    convs: [
      [32, 3, 5, 5],
      [32, 32, 5, 5],
      [64, 32, 5, 5],
    ].map((shape, i) => layer(shape, 11 + 10 * i)),
    linears: [
      [64, 1024],
      [10, 64],
    ].map((shape, i) => layer(shape, 71 + 10 * i)),
  };
}

export const LEARNING_RATE = 0.01;

/** Images [batch, 3, 32, 32] and a label below 10 for each. */
export function chapterBatch(batch: number): { images: Float32Array; labels: Int32Array } {
  const labels = Int32Array.from(numbers(batch, 5), (value) => Math.min(9, Math.floor((value + 1) * 5)));
  return { images: numbers(batch * 3 * 32 * 32, 3), labels };
}

/** Images, weight and the gradient of the result, in PyTorch's layout. */
export function convNumbers({ from, to, size }: { from: number; to: number; size: number }) {
  const bound = 1 / Math.sqrt(from * 25);
  return {
    x: numbers(64 * from * size * size, 8),
    weight: numbers(to * from * 25, 9, bound),
    dy: numbers(64 * to * size * size, 10),
  };
}

export const PLANES = [64, 32, 32, 32] as const;
export const planes = () => numbers(64 * 32 * 32 * 32, 7);

/** Turns a weight [out, in, h, w] into [h, w, in, out], which channels-last libraries want. */
export function toHwio({ shape, weight }: Layer): Float32Array {
  const [o, c, h, w] = shape as [number, number, number, number];
  const out = new Float32Array(weight.length);
  for (let i = 0; i < o; i++)
    for (let j = 0; j < c; j++)
      for (let k = 0; k < h * w; k++) out[(k * c + j) * o + i] = weight[(i * c + j) * h * w + k]!;
  return out;
}

/** Turns images [n, c, h, w] into [n, h, w, c]. */
export function toNhwc(images: Float32Array, n: number, c: number, pixels: number): Float32Array {
  const out = new Float32Array(images.length);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < c; j++)
      for (let k = 0; k < pixels; k++) out[(i * pixels + k) * c + j] = images[(i * c + j) * pixels + k]!;
  return out;
}
