/** Batched matrix products of any strides: transposes are views. */
import type { Attempts, View } from "../backend.ts";
import { sizeOf } from "../reference/strided.ts";
import { type Target, written } from "./dense.ts";
import { ELEMENT_BYTES, type Memory } from "./memory.ts";
import { Params } from "./params.ts";
import { gridOf, type Program, type Runtime } from "./runtime.ts";
import { sharedCode, TILE } from "./shared.ts";
import { type Block, blockFor, Columns, groupSize, lines, type Tiling, tilingOf } from "./tiles.ts";

type Element = "f32" | "i32";

const INT32_END = 2 ** 31;

const BLOCKS: Record<Tiling, readonly Block[]> = {
  alone: [
    [8, 16],
    [4, 4],
    [1, 16],
    [1, 1],
  ],
  shared: [
    [4, 4],
    [1, 1],
  ],
};

const STRUCT = `struct Matmul {
  count: u32, row: u32, n: i32, m: i32,
  k: i32, offset: i32, down: u32, across: u32,
  a: vec4<i32>,
  b: vec4<i32>,
}
@group(0) @binding(0) var<uniform> p: Matmul;
`;

const operands = (read: string, element: string) => `@group(0) @binding(1) var<storage, read> a: array<${read}>;
@group(0) @binding(2) var<storage, read> b: array<${read}>;
@group(0) @binding(3) var<storage, read_write> out: array<${element}>;
`;

/** A block per invocation. `byte`: sums are uint8. */
function aloneProgram(tiling: Tiling, [rows, width]: Block, element: Element, byte: boolean): Program {
  const columns = new Columns(width, element);
  const stored = (sum: string) => (byte ? `${sum} & 255` : sum);
  return {
    key: `matmul ${tiling} ${rows}x${width} ${element} ${byte}`,
    code: () => `${STRUCT}${operands(element, element)}
@compute @workgroup_size(${groupSize(tiling)})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let t = id.x + id.y * p.row;
  if (t >= p.count) { return; }
  let col = i32(t % p.across) * ${width};
  let row = i32(t / p.across % p.down) * ${rows};
  let batch = i32(t / p.across / p.down);
  // What lies beyond the edges is computed of the last row and column, and not stored.
${lines(rows, (r) => `  let a${r} = p.a.w + batch * p.a.x + min(row + ${r}, p.n - 1) * p.a.y;`)}
${lines(width, (c) => `  let b${c} = p.b.w + batch * p.b.x + min(col + ${c}, p.m - 1) * p.b.z;`)}
  ${columns.start(rows)}
  for (var k = 0; k < p.k; k++) {
    let atA = k * p.a.z;
    let atB = k * p.b.y;
    ${lines(columns.vectors, (q) => `let right${q} = ${columns.vector(q, (c) => `b[b${c} + atB]`)};`)}
    ${lines(rows, (r) => `let left${r} = a[a${r} + atA];`, " ")}
    ${columns.add(rows, (r) => `left${r}`)}
  }
  let to = p.offset + (batch * p.n + row) * p.m + col;
${lines(
  rows,
  (r) => `  if (row + ${r} < p.n) {
${lines(width, (c) => `    if (col + ${c} < p.m) { out[to + ${r} * p.m + ${c}] = ${stored(columns.sum(r, c))}; }`)}
  }`,
)}
}`,
  };
}

/** `vectors`: both operands can be loaded by four along one of their axes. */
function sharedProgram(element: Element, byte: boolean, vectors: boolean): Program {
  const array = vectors ? `vec4<${element}>` : element;
  /** Squares of an operand, whose rows lie `lead` apart and columns `step`: whichever are side by side are loaded at once. */
  const loading = (name: string) => {
    return vectors
      ? `fn load_${name}(row: i32, col: i32, rows: i32, columns: i32, at: i32, lead: i32, step: i32) -> square {
  var found = square();
  if (step == 1) {
    ${lines(4, (i) => `if (row + ${i} < rows && col < columns) { found[${i}] = ${name}[(at + ${i} * lead) / 4]; }`)}
    return found;
  }
  ${lines(4, (i) => `if (row < rows && col + ${i} < columns) { found[${i}] = ${name}[(at + ${i} * step) / 4]; }`)}
  return turned(found);
}`
      : `fn load_${name}(row: i32, col: i32, rows: i32, columns: i32, at: i32, lead: i32, step: i32) -> square {
  var found = square();
  ${lines(4, (i) => lines(4, (j) => `if (row + ${i} < rows && col + ${j} < columns) { found[${i}].${"xyzw"[j]} = ${name}[at + ${i} * lead + ${j} * step]; }`))}
  return found;
}`;
  };
  return {
    key: `matmul shared ${element} ${byte} ${vectors}`,
    code: () =>
      sharedCode({
        element,
        head: `${STRUCT}${operands(array, element)}${loading("a")}\n${loading("b")}`,
        terms: "p.k",
        left: "load_a(row, k, p.n, p.k, p.a.w + outer * p.a.x + row * p.a.y + k * p.a.z, p.a.y, p.a.z)",
        right: "load_b(k, col, p.k, p.m, p.b.w + outer * p.b.x + k * p.b.y + col * p.b.z, p.b.y, p.b.z)",
        leftTurned: "p.a.z != 1",
        rightTurned: "p.b.z != 1",
        store: `if (row < p.n) {
    let to = p.offset + (outer * p.n + row) * p.m + col;
    ${lines(4, (c) => `if (col + ${c} < p.m) { out[to + ${c}] = sum.${"xyzw"[c]}${byte ? " & 255" : ""}; }`)}
  }`,
      }),
  };
}

/** Whether four numbers along one axis of each matrix lie side by side, aligned, and all inside or all beyond the edge. */
function inVectors({ shape, strides, offset }: View): boolean {
  const [batch, row, col] = strides as [number, number, number];
  const [side, other] = col === 1 ? [shape[2]!, row] : [shape[1]!, col];
  return (col === 1 || row === 1) && [side, other, batch, offset].every((n) => n % 4 === 0);
}

/** The largest absolute value of a result, or null where 32 bits might not hold it. */
function limitOf(terms: number, left: Memory, right: Memory, { dtype }: View): number | null {
  if (dtype.name === "uint8") return 255;
  const limit = terms === 0 ? 0 : terms * left.limit * right.limit;
  if (dtype.name === "int32") return Number.isNaN(limit) ? INT32_END : Math.min(limit, INT32_END);
  return limit < INT32_END ? limit : null;
}

const INTEGERS = ["int64", "int32", "uint8"];

export function matmulKernels(runtime: Runtime, tiling = tilingOf(runtime)): Attempts {
  function multiply(a: View, b: View, target: Target): void {
    const [batch, n, k] = a.shape as [number, number, number];
    const m = b.shape[2]!;
    const element = a.dtype.name === "float32" ? "f32" : "i32";
    const shared = tiling === "shared" && Math.min(n, m) >= TILE / 2;
    const block: Block = shared ? [TILE, TILE] : blockFor(tiling, BLOCKS[tiling], batch, n, m);
    const [down, across] = [Math.ceil(n / block[0]), Math.ceil(m / block[1])];
    const count = batch * down * across;
    const size = shared ? 1 : groupSize(tiling);
    const groups = gridOf(Math.ceil(count / size));
    const byte = a.dtype.name === "uint8";
    const program = shared
      ? sharedProgram(element, byte, inVectors(a) && inVectors(b))
      : aloneProgram(tiling, block, element, byte);
    runtime.run(program, {
      reads: [a.memory!, b.memory!],
      ...written([target]),
      params: new Params()
        .u32(count, groups[0] * size)
        .i32(n, m, k, target.offset)
        .u32(down, across)
        .i32(...a.strides, a.offset, ...b.strides, b.offset).block,
      groups,
    });
  }

  return {
    matmul(a, b, out) {
      const [left, right, memory] = [a.memory, b.memory, out.memory] as (Memory | undefined)[];
      if (!left || !right || !memory || left === memory || right === memory) return false;
      const floats = out.dtype.name === "float32";
      if (!floats && !INTEGERS.includes(out.dtype.name)) return false;
      const limit = floats ? memory.limit : limitOf(a.shape[2]!, left, right, out);
      if (limit === null) return false;
      const whole = sizeOf(out) * ELEMENT_BYTES === memory.bytes;
      multiply(a, b, { memory, offset: out.offset, whole });
      if (!floats) memory.limit = whole ? limit : Math.max(memory.limit, limit);
      return true;
    },
  };
}
