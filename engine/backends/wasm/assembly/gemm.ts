import { high, highPair, low, lowPair } from "./lanes";
import { madd, Rows1, Rows2, Rows3, Rows4, Rows5, Rows6, tileCount, tileStart } from "./simd";

/**
 * c[r][0..8] += Σ_t a[t·R + r] · b[t·step + 0..8] for R rows: the sum of `count` outer products.
 * A matrix product feeds it packed panels (step 32 bytes); a weight gradient feeds it pixels of a channels-last image.
 */
@inline
function outer8<R>(a: usize, b: usize, step: usize, count: i32, c: usize, pitch: usize): void {
  let s00 = v128.load(c), s01 = v128.load(c, 16);
  let s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00, s40 = s00, s41 = s00, s50 = s00, s51 = s00;
  if (offsetof<R>() > 1) { const p = c + pitch; s10 = v128.load(p); s11 = v128.load(p, 16); }
  if (offsetof<R>() > 2) { const p = c + 2 * pitch; s20 = v128.load(p); s21 = v128.load(p, 16); }
  if (offsetof<R>() > 3) { const p = c + 3 * pitch; s30 = v128.load(p); s31 = v128.load(p, 16); }
  if (offsetof<R>() > 4) { const p = c + 4 * pitch; s40 = v128.load(p); s41 = v128.load(p, 16); }
  if (offsetof<R>() > 5) { const p = c + 5 * pitch; s50 = v128.load(p); s51 = v128.load(p, 16); }
  const end = a + <usize>count * offsetof<R>() * 4;
  while (a < end) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    s00 = madd(x, b0, s00); s01 = madd(x, b1, s01);
    if (offsetof<R>() > 1) { x = v128.load32_splat(a, 4); s10 = madd(x, b0, s10); s11 = madd(x, b1, s11); }
    if (offsetof<R>() > 2) { x = v128.load32_splat(a, 8); s20 = madd(x, b0, s20); s21 = madd(x, b1, s21); }
    if (offsetof<R>() > 3) { x = v128.load32_splat(a, 12); s30 = madd(x, b0, s30); s31 = madd(x, b1, s31); }
    if (offsetof<R>() > 4) { x = v128.load32_splat(a, 16); s40 = madd(x, b0, s40); s41 = madd(x, b1, s41); }
    if (offsetof<R>() > 5) { x = v128.load32_splat(a, 20); s50 = madd(x, b0, s50); s51 = madd(x, b1, s51); }
    a += offsetof<R>() * 4;
    b += step;
  }
  v128.store(c, s00); v128.store(c, s01, 16);
  if (offsetof<R>() > 1) { const p = c + pitch; v128.store(p, s10); v128.store(p, s11, 16); }
  if (offsetof<R>() > 2) { const p = c + 2 * pitch; v128.store(p, s20); v128.store(p, s21, 16); }
  if (offsetof<R>() > 3) { const p = c + 3 * pitch; v128.store(p, s30); v128.store(p, s31, 16); }
  if (offsetof<R>() > 4) { const p = c + 4 * pitch; v128.store(p, s40); v128.store(p, s41, 16); }
  if (offsetof<R>() > 5) { const p = c + 5 * pitch; v128.store(p, s50); v128.store(p, s51, 16); }
}

export function outerProducts(rows: i32, a: usize, b: usize, step: usize, count: i32, c: usize, pitch: usize): void {
  switch (rows) {
    case 1: outer8<Rows1>(a, b, step, count, c, pitch); break;
    case 2: outer8<Rows2>(a, b, step, count, c, pitch); break;
    case 3: outer8<Rows3>(a, b, step, count, c, pitch); break;
    case 4: outer8<Rows4>(a, b, step, count, c, pitch); break;
    case 5: outer8<Rows5>(a, b, step, count, c, pitch); break;
    default: outer8<Rows6>(a, b, step, count, c, pitch);
  }
}

/** How deep one pass goes: 256 rows of an 8-wide panel are 8 kB, which stay in the first cache while the tiles pass by. */
const DEPTH: i32 = 256;

/** A tile of 4 to 6 rows whose numbers lie side by side along the rows: four of each row at a time. */
@inline
function packRows(x: usize, pitch: usize, height: i32, depth: i32, to: usize): void {
  const step = <usize>height << 2;
  for (let k = 0; k < depth; k += 4) {
    // What is left over is done as four that overlap those before.
    if (k + 4 > depth) k = depth - 4;
    let from = x + (<usize>k << 2);
    const at = to + <usize>k * step;
    const r0 = v128.load(from), r1 = v128.load(from + pitch);
    from += 2 * pitch;
    const r2 = v128.load(from), r3 = v128.load(from + pitch);
    from += 2 * pitch;
    const a = low(r0, r1), b = low(r2, r3), c = high(r0, r1), d = high(r2, r3);
    v128.store(at, lowPair(a, b));
    v128.store(at + step, highPair(a, b));
    v128.store(at + 2 * step, lowPair(c, d));
    v128.store(at + 3 * step, highPair(c, d));
    if (height == 5) {
      const r4 = v128.load(from);
      v128.store_lane<f32>(at, r4, 0, 16);
      v128.store_lane<f32>(at + step, r4, 1, 16);
      v128.store_lane<f32>(at + 2 * step, r4, 2, 16);
      v128.store_lane<f32>(at + 3 * step, r4, 3, 16);
    } else if (height == 6) {
      const r4 = v128.load(from), r5 = v128.load(from + pitch), e = low(r4, r5), f = high(r4, r5);
      v128.store_lane<f64>(at, e, 0, 16);
      v128.store_lane<f64>(at + step, e, 1, 16);
      v128.store_lane<f64>(at + 2 * step, f, 0, 16);
      v128.store_lane<f64>(at + 3 * step, f, 1, 16);
    }
  }
}

/** The same for a tile whose numbers lie side by side along the columns. */
@inline
function packColumns(x: usize, pitch: usize, height: i32, depth: i32, to: usize): void {
  const step = <usize>height << 2;
  for (let k = 0; k < depth; k++) {
    v128.store(to, v128.load(x));
    if (height == 5) store<f32>(to, load<f32>(x, 16), 16);
    else if (height == 6) store<f64>(to, load<f64>(x, 16), 16);
    x += pitch;
    to += step;
  }
}

/**
 * Deals `rows` rows of `depth` numbers into tiles: within a tile of R rows, number k of row r lies at k·R + r.
 * Strides count floats, so a transposed matrix packs as well.
 */
export function packTiles(x: usize, rowStride: i32, colStride: i32, rows: i32, depth: i32, to: usize): void {
  const tiles = tileCount(rows);
  for (let t = 0; t < tiles; t++) {
    const first = tileStart(t, rows);
    const height = tileStart(t + 1, rows) - first;
    const tile = x + ((<usize>first * rowStride) << 2);
    if (colStride == 1 && height >= 4 && depth >= 4) packRows(tile, <usize>rowStride << 2, height, depth, to);
    else if (rowStride == 1 && height >= 4) packColumns(tile, <usize>colStride << 2, height, depth, to);
    else {
      for (let r = 0; r < height; r++) {
        let from = tile + ((<usize>r * rowStride) << 2);
        let at = to + (<usize>r << 2);
        for (let k = 0; k < depth; k++) {
          store<f32>(at, load<f32>(from));
          from += <usize>colStride << 2;
          at += <usize>height << 2;
        }
      }
    }
    to += (<usize>height * depth) << 2;
  }
}

/** A panel of 8 whole columns, in which numbers lie side by side: four of each column at a time. */
@inline
function panelOfColumns(b: usize, pitch: usize, depth: i32, to: usize): void {
  let k = 0;
  for (; k + 4 <= depth; k += 4) {
    let from = b;
    for (let half = 0; half < 2; half++) {
      const c0 = v128.load(from), c1 = v128.load(from + pitch);
      from += 2 * pitch;
      const c2 = v128.load(from), c3 = v128.load(from + pitch);
      from += 2 * pitch;
      const p = low(c0, c1), q = low(c2, c3), r = high(c0, c1), s = high(c2, c3);
      v128.store(to, lowPair(p, q));
      v128.store(to, highPair(p, q), 32);
      v128.store(to, lowPair(r, s), 64);
      v128.store(to, highPair(r, s), 96);
      to += 16;
    }
    b += 16;
    to += 96;
  }
  for (; k < depth; k++) {
    let from = b;
    for (let c: usize = 0; c < 32; c += 4) {
      store<f32>(to + c, load<f32>(from));
      from += pitch;
    }
    b += 4;
    to += 32;
  }
}

/** Cuts b [depth, cols] into panels of 8 columns, the last one filled up with zeros: row k of a panel lies at k·8. */
function packPanels(b: usize, rowStride: i32, colStride: i32, depth: i32, cols: i32, to: usize): void {
  for (let j = 0; j < cols; j += 8) {
    const width = min(8, cols - j);
    const panel = b + ((<usize>j * colStride) << 2);
    if (width == 8 && rowStride == 1 && colStride != 1) {
      panelOfColumns(panel, <usize>colStride << 2, depth, to);
      to += <usize>depth << 5;
      continue;
    }
    for (let k = 0; k < depth; k++) {
      const from = panel + ((<usize>k * rowStride) << 2);
      if (colStride == 1 && width == 8) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
      } else {
        let c = 0;
        for (; c < width; c++) store<f32>(to + (<usize>c << 2), load<f32>(from + ((<usize>c * colStride) << 2)));
        for (; c < 8; c++) store<f32>(to + (<usize>c << 2), 0);
      }
      to += 32;
    }
  }
}

/**
 * c [rows, pitch] = a [rows, depth] · b [depth, cols], pitch being cols rounded up to 8; strides count floats.
 * `packedA` holds rows·256 floats, `packedB` 256·pitch.
 */
export function gemm(
  a: usize, aRow: i32, aCol: i32, b: usize, bRow: i32, bCol: i32,
  rows: i32, depth: i32, cols: i32, packedA: usize, packedB: usize, c: usize,
): void {
  const panels = (cols + 7) >> 3;
  const pitch = <usize>panels << 5;
  const tiles = tileCount(rows);
  memory.fill(c, 0, pitch * rows);
  for (let k = 0; k < depth; k += DEPTH) {
    const deep = min(DEPTH, depth - k);
    packTiles(a + ((<usize>k * aCol) << 2), aRow, aCol, rows, deep, packedA);
    packPanels(b + ((<usize>k * bRow) << 2), bRow, bCol, deep, cols, packedB);
    for (let j = 0; j < panels; j++) {
      const panel = packedB + ((<usize>j * deep) << 5);
      for (let t = 0; t < tiles; t++) {
        const first = tileStart(t, rows);
        const height = tileStart(t + 1, rows) - first;
        const tile = packedA + ((<usize>first * deep) << 2);
        outerProducts(height, tile, panel, 32, deep, c + <usize>first * pitch + (<usize>j << 5), pitch);
      }
    }
  }
}

/** Closes the gaps of [rows, pitch] to [rows, cols] in place; both count floats. */
export function closeRows(x: usize, rows: i32, pitch: i32, cols: i32): void {
  for (let r = 1; r < rows; r++) memory.copy(x + ((<usize>r * cols) << 2), x + ((<usize>r * pitch) << 2), <usize>cols << 2);
}
