/**
 * The stand-in's own random numbers: a hash of (seed, index) starts a small generator for one picture, so that picture i
 * is the same whichever were made before it, and the engine's generator is left alone. 32-bit integer arithmetic only.
 */

/** Mixes its input so that neighbours share nothing. Chris Wellons' "lowbias32". */
function mix(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}

/** Doty-Humphrey's sfc32. */
export class Stream {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, index: number) {
    this.#a = mix(seed);
    this.#b = mix(index + 0x9e3779b9);
    this.#c = mix(this.#a ^ this.#b);
    for (let i = 0; i < 8; i++) this.bits();
  }

  /** 32 random bits as an integer in [0, 2^32). */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** An integer in [0, n). */
  below(n: number): number {
    return Math.floor((this.bits() * n) / 4294967296);
  }

  /** A number in [from, to). */
  between(from: number, to: number): number {
    return from + (this.bits() / 4294967296) * (to - from);
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.bits() < p * 4294967296;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}
