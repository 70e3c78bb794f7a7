/**
 * Products by tiles of 64 × 64 that a workgroup shares: its 128 invocations load 16 columns of the left and 16 rows of the right
 * into shared memory (8 KB), then each adds to its 8 × 4 results. What kernels differ in is how a square of 4 × 4 numbers is
 * loaded, and where a result goes.
 */
import { lines } from "./tiles.ts";

export const TILE = 64;
const STEP = 16;

/** The uniform block `p` has the words `count` of tiles, `row` of the grid, and `down` and `across`. */
export interface SharedTiles {
  element: "f32" | "i32";
  /** Uniform block, operands and functions. */
  head: string;
  /** The length of the sums. */
  terms: string;
  /**
   * Expressions of `square`s: four vectors for rows `row` to `row + 3`, each along `k` to `k + 3`; and four for `k` to `k + 3`,
   * each along `col` to `col + 3`. Zero beyond the edges. `outer` numbers the product.
   */
  left: string;
  right: string;
  /** Whether neighbours ought to load along rows rather than along k; along k rather than along columns. */
  leftTurned: string;
  rightTurned: string;
  /** Stores `sum`, a vector, at (`row`, `col`). */
  store: string;
}

export function sharedCode({ element, head, terms, left, right, leftTurned, rightTurned, store }: SharedTiles): string {
  return `alias square = array<vec4<${element}>, 4>;
${head}
fn turned(x: square) -> square {
  return square(${lines(4, (i) => `vec4<${element}>(${lines(4, (j) => `x[${j}].${"xyzw"[i]}`, ", ")})`, ", ")});
}
var<workgroup> lefts: array<vec4<${element}>, ${(TILE * STEP) / 4}>;
var<workgroup> rights: array<vec4<${element}>, ${(TILE * STEP) / 4}>;
@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) id: vec3<u32>, @builtin(local_invocation_index) local: u32) {
  let tile = id.x + id.y * p.row;
  if (tile >= p.count) { return; }
  let outer = i32(tile / p.across / p.down);
  let firstRow = i32(tile / p.across % p.down) * ${TILE};
  let firstCol = i32(tile % p.across) * ${TILE};
  // The first 64 invocations load the left, the others the right: a square of 4 × 4 each.
  let t = i32(local % 64u);
  let loadsLeft = local < 64u;
  // Neighbours load what lies side by side: along the tile's side, or along k.
  let alongSide = select(!(${rightTurned}), ${leftTurned}, loadsLeft);
  let side = select(t / 4, t % 16, alongSide) * 4;
  let inner = select(t % 4, t / 16, alongSide) * 4;
  let x = i32(local % 16u);
  let y = i32(local / 16u) * 8;
  ${lines(8, (r) => `var sum${r} = vec4<${element}>();`, " ")}
  for (var start = 0; start < ${terms}; start += ${STEP}) {
    let k = start + inner;
    if (loadsLeft) {
      let row = firstRow + side;
      let loaded = ${left};
      ${lines(4, (i) => `lefts[(side + ${i}) * ${STEP / 4} + inner / 4] = loaded[${i}];`, " ")}
    } else {
      let col = firstCol + side;
      let loaded = ${right};
      ${lines(4, (i) => `rights[(inner + ${i}) * ${TILE / 4} + side / 4] = loaded[${i}];`, " ")}
    }
    workgroupBarrier();
    for (var q = 0; q < ${STEP / 4}; q++) {
      ${lines(8, (r) => `let left${r} = lefts[(y + ${r}) * ${STEP / 4} + q];`, " ")}
      ${lines(4, (s) => `let right${s} = rights[(q * 4 + ${s}) * ${TILE / 4} + x];`, " ")}
      ${lines(4, (s) => lines(8, (r) => `sum${r} += left${r}.${"xyzw"[s]} * right${s};`, " "), "\n      ")}
    }
    workgroupBarrier();
  }
  let col = firstCol + x * 4;
  ${lines(8, (r) => `{ let row = firstRow + y + ${r}; let sum = sum${r}; ${store} }`, "\n  ")}
}`;
}
