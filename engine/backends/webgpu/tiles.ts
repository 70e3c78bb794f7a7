/**
 * Which part of a result one invocation makes, and the text of its sums.
 *
 * Two machines want two ways. A GPU wants a workgroup to load a tile into its shared memory once and each of its invocations
 * to make a few results of it (shared.ts). SwiftShader, the adapter of machines without a GPU, runs on the CPU, four
 * invocations at a time: there a load costs about ten times a multiplication wherever it is from, and a barrier saves the
 * registers of all invocations. It wants many results per invocation and no shared memory. Milliseconds on SwiftShader, two
 * cores that others used too, each way in turn:
 *
 *                                                 shared tiles   alone
 *   product of 512³                                   308         130
 *   convolution 32 → 32, 5 × 5, 64 of 16 × 16        3058         315   (by rows, conv_rows.ts: two thirds of that)
 *
 * Larger blocks than 8 × 16 gain a tenth there (16 × 16: 62 ms for 67 on an idle machine) but take twice as long to compile, one
 * to two seconds, and with four unrolled steps of a convolution's sum ten.
 */
import type { Runtime } from "./runtime.ts";

/** "shared": workgroups share tiles. "alone": invocations load for themselves. */
export type Tiling = "shared" | "alone";

/** The way for an adapter: the one place where adapters differ. */
export const tilingOf = ({ device }: Runtime): Tiling =>
  device.adapterInfo?.architecture === "swiftshader" ? "alone" : "shared";

/** Whether the four invocations of a small workgroup can swap numbers: its quad is then all of its one subgroup. */
export const swapsOf = ({ device }: Runtime): boolean =>
  device.features.has("subgroups") &&
  device.adapterInfo?.subgroupMinSize === 4 &&
  device.adapterInfo?.subgroupMaxSize === 4;

/** Rows and columns of the results that one invocation makes. */
export type Block = readonly [rows: number, columns: number];

/** Invocations that run at once, and those of a workgroup. */
const WIDTH = { alone: { machine: 8, group: 4 }, shared: { machine: 4096, group: 64 } } as const;

export const groupSize = (tiling: Tiling): number => WIDTH[tiling].group;

/** What a load costs, in multiplications. */
const LOAD = 5;

/** The block that takes least time for `count` results of `rows` × `columns`. */
export function blockFor(
  tiling: Tiling,
  blocks: readonly Block[],
  count: number,
  rows: number,
  columns: number,
): Block {
  let best = blocks[0]!;
  let least = Number.POSITIVE_INFINITY;
  for (const block of blocks) {
    const invocations = count * Math.ceil(rows / block[0]) * Math.ceil(columns / block[1]);
    const time = Math.ceil(invocations / WIDTH[tiling].machine) * (block[0] * block[1] + LOAD * (block[0] + block[1]));
    if (time < least) [best, least] = [block, time];
  }
  return best;
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** A line of text for each number below `count`. */
export const lines = (count: number, line: (i: number) => string, between = "\n"): string =>
  range(count).map(line).join(between);

/** The columns of a block are held as vectors of four, or alone where it has one. */
export class Columns {
  readonly count: number;
  readonly width: number;
  readonly vectors: number;
  readonly #element: string;

  constructor(count: number, element: string) {
    this.count = count;
    this.width = count % 4 === 0 ? 4 : 1;
    this.vectors = count / this.width;
    this.#element = element;
  }

  /** The type of a vector of `element`s. */
  type(element = this.#element): string {
    return this.width === 4 ? `vec4<${element}>` : element;
  }

  /** A vector of what `of` says of its columns. */
  vector(vector: number, of: (column: number) => string, element = this.#element): string {
    return `${this.type(element)}(${range(this.width)
      .map((i) => of(vector * this.width + i))
      .join(", ")})`;
  }

  /** Column c of the vectors called `name`. */
  part(name: string, column: number): string {
    return this.width === 4 ? `${name}${column >> 2}.${"xyzw"[column & 3]}` : `${name}${column}`;
  }

  /** Starts the sums of `rows` rows. */
  start(rows: number, value: (row: number) => string = () => `${this.#element}(0)`): string {
    return lines(rows, (r) => lines(this.vectors, (q) => `var sum${r}_${q} = ${this.type()}(${value(r)});`, " "));
  }

  /** Adds the products of `left(row)` and the vectors `right0`, `right1` … */
  add(rows: number, left: (row: number) => string): string {
    return lines(rows, (r) => lines(this.vectors, (q) => `sum${r}_${q} += ${left(r)} * right${q};`, " "));
  }

  /** Sum (row, column). */
  sum(row: number, column: number): string {
    return this.part(`sum${row}_`, column);
  }
}
