/**
 * Numbers as the engine prints them. The engine's own formatter lives in the kernel, so its text arrives a moment later;
 * until then the same rule, written here for floats, stands in.
 */

export type Format = (values: number[], dtype: string) => Promise<string[]>;

const KEPT = 400;

export class NumberText {
  readonly #format: Format;
  readonly #onChange: () => void;
  readonly #known = new Map<string, string[]>();
  readonly #asked = new Set<string>();

  constructor(format: Format, onChange: () => void) {
    this.#format = format;
    this.#onChange = onChange;
  }

  /** Whether an answer is still on its way. */
  get pending(): boolean {
    return this.#asked.size > 0;
  }

  /** Text of numbers that stand together, so that they share a precision. */
  many(values: number[], dtype: string): string[] {
    if (!dtype.startsWith("float")) return values.map(String);
    if (values.length === 0) return [];
    const key = `${dtype}:${values.join(",")}`;
    const known = this.#known.get(key);
    if (known) return known;
    this.#ask(key, values, dtype);
    return provisional(values);
  }

  one(value: number, dtype: string): string {
    return this.many([value], dtype)[0]!;
  }

  #ask(key: string, values: number[], dtype: string): void {
    if (this.#asked.has(key)) return;
    this.#asked.add(key);
    this.#format(values, dtype)
      .then((text) => {
        if (this.#known.size >= KEPT) this.#known.delete(this.#known.keys().next().value!);
        this.#known.set(
          key,
          text.map((entry) => entry.trim()),
        );
      })
      // A kernel that has ended can't answer; our own text of the number stays.
      .catch(() => this.#known.set(key, provisional(values)))
      .finally(() => {
        this.#asked.delete(key);
        this.#onChange();
      });
  }
}

/** PyTorch's choice between whole, fixed and scientific, from the magnitudes that are printed together. */
export function provisional(values: number[]): string[] {
  const magnitudes = values.filter((v) => Number.isFinite(v) && v !== 0).map(Math.abs);
  const max = Math.max(0, ...magnitudes);
  const min = magnitudes.length > 0 ? Math.min(...magnitudes) : 1;
  const whole = values.every((v) => !Number.isFinite(v) || Number.isInteger(v));
  const scientific = magnitudes.length > 0 && (max / min > 1000 || max > 1e8 || (!whole && min < 1e-4));
  return values.map((v) => {
    if (Number.isNaN(v)) return "nan";
    if (!Number.isFinite(v)) return v > 0 ? "inf" : "-inf";
    if (scientific) return v.toExponential(4).replace(/e([+-])(\d)$/, "e$10$2");
    return whole ? `${v.toFixed(0)}.` : v.toFixed(4);
  });
}
