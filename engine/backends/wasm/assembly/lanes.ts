// What the transforms of tiles share: four tiles at a time, one in each lane, and spectra as real factors.

@inline
export function add(a: v128, b: v128): v128 { return f32x4.add(a, b); }

@inline
export function sub(a: v128, b: v128): v128 { return f32x4.sub(a, b); }

// Turning four vectors of neighbours into four vectors of lanes, and back: first pairs of two, then both pairs.

@inline
export function low(a: v128, b: v128): v128 { return v128.shuffle<i32>(a, b, 0, 4, 1, 5); }

@inline
export function high(a: v128, b: v128): v128 { return v128.shuffle<i32>(a, b, 2, 6, 3, 7); }

@inline
export function lowPair(a: v128, b: v128): v128 { return v128.shuffle<i64>(a, b, 0, 2); }

@inline
export function highPair(a: v128, b: v128): v128 { return v128.shuffle<i64>(a, b, 1, 3); }

/** Four numbers that lie `lanes` bytes apart, times `scale`. */
@inline
export function fourApart(x: usize, lanes: isize, scale: f32): v128 {
  let v = v128.load32_zero(x);
  v = v128.load32_lane(x + lanes, v, 1);
  v = v128.load32_lane(x + 2 * lanes, v, 2);
  return f32x4.mul(v128.load32_lane(x + 3 * lanes, v, 3), f32x4.splat(scale));
}

/** The first `count` of four numbers, `plane` bytes apart. */
@inline
export function storeApart(to: usize, plane: usize, count: i32, x: v128): void {
  store<f32>(to, f32x4.extract_lane(x, 0));
  if (count > 1) store<f32>(to + plane, f32x4.extract_lane(x, 1));
  if (count > 2) store<f32>(to + 2 * plane, f32x4.extract_lane(x, 2));
  if (count > 3) store<f32>(to + 3 * plane, f32x4.extract_lane(x, 3));
}

/**
 * A complex product is three real ones (Gauss): of a kernel's a + bi and an image's c + di they are k = c·(a + b),
 * a·(d - c) and b·(c + d); k minus the last is its real part, k plus the second its imaginary part. So a complex coefficient
 * is stored as three factors, `step` bytes apart. `kernel` conjugates it, so that the product is a correlation.
 */
@inline
export function storeThree(kernel: bool, to: usize, step: usize, re: v128, im: v128): void {
  if (kernel) {
    v128.store(to, sub(re, im));
    v128.store(to + step, re);
    v128.store(to + 2 * step, f32x4.neg(im));
  } else {
    v128.store(to, re);
    v128.store(to + step, sub(im, re));
    v128.store(to + 2 * step, add(re, im));
  }
}

/** The real part of a product, from its three. */
@inline
export function realPart(from: usize, step: usize): v128 { return sub(v128.load(from), v128.load(from + 2 * step)); }

@inline
export function imaginaryPart(from: usize, step: usize): v128 { return add(v128.load(from), v128.load(from + step)); }
