// Chosen at compile time: with relaxed SIMD a multiply-add is one instruction with one rounding, without it two with two.

@inline
export function madd(a: v128, b: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, sum);
  return f32x4.add(f32x4.mul(a, b), sum);
}

// A tile has 1 to 6 rows, known at compile time so that its sums stay in registers: 6 rows of 8 take 12 of the 15 registers
// that V8 hands out on x86, which leaves two for b and one for a. AssemblyScript has no numbers as type arguments; the size
// of a struct serves as one, read with offsetof<R>().
@unmanaged export class Rows1 { a: u8; }
@unmanaged export class Rows2 { a: u16; }
@unmanaged export class Rows3 { a: u16; b: u8; }
@unmanaged export class Rows4 { a: u32; }
@unmanaged export class Rows5 { a: u32; b: u8; }
@unmanaged export class Rows6 { a: u32; b: u16; }
@unmanaged export class Rows8 { a: u64; }

/** Rows are dealt to as few tiles as possible, as evenly as possible: 32 = 6 + 6 + 5 + 5 + 5 + 5. */
export const TILE_ROWS: i32 = 6;

@inline
export function tileCount(rows: i32): i32 {
  return (rows + TILE_ROWS - 1) / TILE_ROWS;
}

/** The first row of tile t, which is also the last of tile t - 1, plus one. */
@inline
export function tileStart(t: i32, rows: i32): i32 {
  const tiles = tileCount(rows);
  return t * (rows / tiles) + min(t, rows % tiles);
}
