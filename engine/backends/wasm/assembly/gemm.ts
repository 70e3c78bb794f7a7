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

/**
 * Deals `rows` rows of `depth` numbers into tiles: within a tile of R rows, number k of row r lies at k·R + r.
 * Strides count floats, so a transposed matrix packs as well.
 */
export function packTiles(x: usize, rowStride: i32, colStride: i32, rows: i32, depth: i32, to: usize): void {
  const tiles = tileCount(rows);
  for (let t = 0; t < tiles; t++) {
    const first = tileStart(t, rows);
    const height = tileStart(t + 1, rows) - first;
    for (let r = 0; r < height; r++) {
      let from = x + ((<usize>(first + r) * rowStride) << 2);
      let at = to + (<usize>r << 2);
      for (let k = 0; k < depth; k++) {
        store<f32>(at, load<f32>(from));
        from += <usize>colStride << 2;
        at += <usize>height << 2;
      }
    }
    to += (<usize>height * depth) << 2;
  }
}

/** Cuts b [depth, cols] into panels of 8 columns, the last one filled up with zeros: row k of a panel lies at k·8. */
function packPanels(b: usize, rowStride: i32, colStride: i32, depth: i32, cols: i32, to: usize): void {
  for (let j = 0; j < cols; j += 8) {
    const width = min(8, cols - j);
    for (let k = 0; k < depth; k++) {
      const from = b + ((<usize>k * rowStride + <usize>j * colStride) << 2);
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
