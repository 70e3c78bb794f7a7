/** The most that one thread of this machine multiplies and adds in WebAssembly: twelve chains that do nothing else. */
import asc from "assemblyscript/asc";

const CHAINS = 12;
const ROUNDS = 1 << 22;

const source = (madd: (sum: string) => string) => `
export function spin(rounds: i32, seed: f32): f32 {
  const a = f32x4.splat(seed);
  const b = f32x4.splat(seed * 0.5);
  ${Array.from({ length: CHAINS }, (_, i) => `let s${i} = f32x4.splat(<f32>${i});`).join("\n  ")}
  for (let i = 0; i < rounds; i++) {
    ${Array.from({ length: CHAINS }, (_, i) => `s${i} = ${madd(`s${i}`)};`).join("\n    ")}
  }
  ${Array.from({ length: CHAINS - 1 }, (_, i) => `s0 = f32x4.add(s0, s${i + 1});`).join("\n  ")}
  return f32x4.extract_lane(s0, 0);
}`;

/** The compiled loop, with relaxed SIMD's fused multiply-add or with one multiplication and one addition. */
export async function peakModule(relaxed: boolean): Promise<Uint8Array<ArrayBuffer>> {
  const madd = relaxed
    ? (sum: string) => `f32x4.relaxed_madd(${sum}, a, b)`
    : (sum: string) => `f32x4.add(f32x4.mul(${sum}, a), b)`;
  const { binary, stderr, error } = await asc.compileString(source(madd), {
    optimizeLevel: 3,
    enable: relaxed ? ["simd", "relaxed-simd"] : ["simd"],
    runtime: "stub",
  });
  if (error || !binary) throw new Error(`the peak loop does not compile: ${error?.message ?? ""}\n${stderr}`);
  return new Uint8Array(binary);
}

/** GFLOP/s of the best of 10 rounds. Runs in a page as well: it refers to nothing outside itself but the constants given. */
export async function measurePeak(bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const { instance } = await WebAssembly.instantiate(bytes, { env: { abort() {} } });
  const { spin } = instance.exports as { spin(rounds: number, seed: number): number };
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 10; i++) {
    const start = performance.now();
    spin(ROUNDS, 0.5);
    best = Math.min(best, performance.now() - start);
  }
  return (ROUNDS * CHAINS * 4 * 2) / best / 1e6;
}
