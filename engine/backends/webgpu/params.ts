/** The uniform block of a dispatch, written word by word as WGSL lays it out. */
export class Params {
  readonly #bytes = new ArrayBuffer(512);
  readonly #view = new DataView(this.#bytes);
  #at = 0;

  u32(...values: number[]): this {
    for (const value of values) this.#view.setUint32(this.#next(), value, true);
    return this;
  }

  i32(...values: number[]): this {
    for (const value of values) this.#view.setInt32(this.#next(), value, true);
    return this;
  }

  f32(...values: number[]): this {
    for (const value of values) this.#view.setFloat32(this.#next(), value, true);
    return this;
  }

  /** `values` and zeros after them, `length` words in all: `array<vec4<i32>, length / 4>`. */
  i32s(values: readonly number[], length: number): this {
    for (let i = 0; i < length; i++) this.i32(values[i] ?? 0);
    return this;
  }

  /** Starts the next vector: to a multiple of four words. */
  align(): this {
    this.#at = Math.ceil(this.#at / 16) * 16;
    return this;
  }

  get block(): ArrayBuffer {
    return this.#bytes.slice(0, Math.max(16, Math.ceil(this.#at / 16) * 16));
  }

  #next(): number {
    const at = this.#at;
    this.#at += 4;
    return at;
  }
}
