/**
 * PyTorch's CPU generator: the 32-bit Mersenne Twister (Matsumoto and Nishimura, 1998) in ATen's bookkeeping, so that a
 * seed gives PyTorch's stream and a saved state is byte for byte `torch.get_rng_state()`.
 */
import { type Device, device } from "./device.ts";
import { RuntimeError, ValueError } from "./errors.ts";

const N = 624;
const M = 397;
const MATRIX_A = 0x9908b0df;
const UPPER_MASK = 0x80000000;
const LOWER_MASK = 0x7fffffff;

/** What a fresh generator starts from, as in PyTorch (`c10::detail::default_rng_seed_val`). */
const DEFAULT_SEED = 67280421310721n;

/** Offsets in PyTorch's saved state (`CPUGeneratorImplState`): one struct of 64-bit words for what takes 32. */
const STATE_BYTES = 5056;
const OFFSET = { seed: 0, left: 8, seeded: 12, next: 16, words: 24, normal: 5024, normalIsValid: 5040 } as const;

/**
 * A stream of random numbers of its own. `getState`, `setState` and `cloneState` are in engine/ops/random.ts, for they give
 * tensors. https://docs.pytorch.org/docs/2.13/generated/torch.Generator.html
 */
export class Generator {
  readonly device: Device;
  readonly #words = new Uint32Array(N);
  /** How many words are still to be used before the next twist, plus one: ATen's `left_`. */
  #left = 1;
  #next = 0;
  #seed = DEFAULT_SEED;
  /** The sine half of the last Box-Muller pair, handed out by the next scalar normal draw. */
  #nextNormal: number | null = null;

  /** @param on where it draws: only the CPU has generators. Default "cpu" */
  constructor(on: string | Device | { device?: string | Device } = "cpu") {
    this.device = device(typeof on === "object" && "device" in on ? (on.device ?? "cpu") : (on as string | Device));
    this.#reseed(DEFAULT_SEED);
  }

  /**
   * Starts the stream anew and returns the generator itself.
   *
   * @param seed an integer in [-2^63, 2^64 - 1]; negative ones count back from 2^64, as in PyTorch. The twister takes the
   *   lower 32 bits.
   */
  manualSeed(seed: number | bigint): this {
    if (typeof seed !== "bigint" && !Number.isInteger(seed)) {
      throw new RuntimeError(
        `manual_seed expected a long, but got ${typeof seed === "number" ? "float" : typeof seed}`,
      );
    }
    const wide = BigInt(seed);
    if (wide < -0x8000_0000_0000_0000n || wide > 0xffff_ffff_ffff_ffffn) {
      throw new ValueError("Overflow when unpacking long long");
    }
    this.#reseed(BigInt.asUintN(64, wide));
    return this;
  }

  /** Seeds from the platform's entropy and returns the seed: a number below 2^53, which a double holds exactly. */
  seed(): number {
    const entropy = crypto.getRandomValues(new Uint32Array(2));
    const seed = (entropy[0]! & 0x1fffff) * 2 ** 32 + entropy[1]!;
    this.#reseed(BigInt(seed));
    return seed;
  }

  /** The seed of this stream; a bigint where a number would lose digits. */
  initialSeed(): number | bigint {
    return this.#seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(this.#seed) : this.#seed;
  }

  /** The next 32 random bits, as an integer in [0, 2^32). */
  random(): number {
    if (--this.#left === 0) this.#twist();
    let y = this.#words[this.#next++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  /** The next 64 random bits; the first draw is the upper half. */
  random64(): bigint {
    const high = this.random();
    return (BigInt(high) << 32n) | BigInt(this.random());
  }

  /** 24 random bits as a number in [0, 1): what a float32 uniform is made of. */
  uniform24(): number {
    return (this.random() & 0xffffff) * 2 ** -24;
  }

  /** 53 of 64 random bits as a number in [0, 1): what a float64 uniform is made of. */
  uniform53(): number {
    const high = this.random() & 0x1fffff;
    return (high * 2 ** 32 + this.random()) * 2 ** -53;
  }

  /** One draw from the standard normal distribution, in pairs by Box and Muller; the second of a pair is kept for later. */
  normal(): number {
    if (this.#nextNormal !== null) {
      const kept = this.#nextNormal;
      this.#nextNormal = null;
      return kept;
    }
    const u1 = this.uniform53();
    const u2 = this.uniform53();
    const radius = Math.sqrt(-2 * Math.log1p(-u2));
    const theta = 2 * Math.PI * u1;
    this.#nextNormal = radius * Math.sin(theta);
    return radius * Math.cos(theta);
  }

  /** The state as PyTorch's 5056 bytes. @internal */
  stateBytes(): Uint8Array {
    const bytes = new Uint8Array(STATE_BYTES);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(OFFSET.seed, this.#seed, true);
    view.setInt32(OFFSET.left, this.#left, true);
    view.setInt32(OFFSET.seeded, 1, true);
    view.setUint32(OFFSET.next, this.#next, true);
    for (let i = 0; i < N; i++) view.setUint32(OFFSET.words + 8 * i, this.#words[i]!, true);
    if (this.#nextNormal !== null) {
      view.setFloat64(OFFSET.normal, this.#nextNormal, true);
      view.setInt32(OFFSET.normalIsValid, 1, true);
    }
    return bytes;
  }

  /** Continues from the bytes of a state, ours or PyTorch's. @internal */
  restoreBytes(bytes: Uint8Array): this {
    if (bytes.length !== STATE_BYTES) {
      throw new RuntimeError(
        `Expected a CPUGeneratorImplState of size ${STATE_BYTES} but found the input RNG state size to be ${bytes.length}`,
      );
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const left = view.getInt32(OFFSET.left, true);
    const next = view.getUint32(OFFSET.next, true);
    const seeded = view.getInt32(OFFSET.seeded, true) === 1;
    if (!seeded || left <= 0 || left > N || next > N) throw new RuntimeError("Invalid mt19937 state");
    this.#seed = view.getBigUint64(OFFSET.seed, true);
    this.#left = left;
    this.#next = next;
    for (let i = 0; i < N; i++) this.#words[i] = view.getUint32(OFFSET.words + 8 * i, true);
    const kept = view.getInt32(OFFSET.normalIsValid, true) !== 0;
    this.#nextNormal = kept ? view.getFloat64(OFFSET.normal, true) : null;
    return this;
  }

  #reseed(seed: bigint): void {
    const words = this.#words;
    words[0] = Number(BigInt.asUintN(32, seed));
    for (let i = 1; i < N; i++) {
      const previous = words[i - 1]!;
      words[i] = Math.imul(1812433253, previous ^ (previous >>> 30)) + i;
    }
    this.#left = 1;
    this.#next = 0;
    this.#seed = seed;
    this.#nextNormal = null;
  }

  #twist(): void {
    const words = this.#words;
    for (let i = 0; i < N; i++) {
      const y = (words[i]! & UPPER_MASK) | (words[(i + 1) % N]! & LOWER_MASK);
      words[i] = words[(i + M) % N]! ^ (y >>> 1) ^ (y & 1 ? MATRIX_A : 0);
    }
    this.#left = N;
    this.#next = 0;
  }
}

/** The generator that every draw without one of its own comes from. */
export const defaultGenerator = new Generator();
