// Maximum pooling with the flat positions of the winners. Padding never wins; a NaN does.

/** Four neighbouring numbers, `step` (1, 2 or more) apart. */
@inline
function loadApart(x: usize, step: i32): v128 {
  if (step == 1) return v128.load(x);
  if (step == 2) return v128.shuffle<i32>(v128.load(x), v128.load(x, 12), 0, 2, 5, 7);
  const bytes = <usize>step << 2;
  let v = v128.load32_zero(x);
  v = v128.load32_lane(x + bytes, v, 1);
  v = v128.load32_lane(x + 2 * bytes, v, 2);
  return v128.load32_lane(x + 3 * bytes, v, 3);
}

/** Where a position goes that nobody wants. */
const unused = memory.data(16, 16);

/** One window whose rows are top, top + dilation … below bottom, and columns likewise. */
@inline
function maxOne(
  x: usize, w: i32, top: i32, bottom: i32, left: i32, right: i32, dilationH: i32, dilationW: i32, out: usize, positions: usize,
): void {
  let best: f32 = -Infinity;
  let winner = top * w + left;
  for (let row = top; row < bottom; row += dilationH) {
    for (let col = left; col < right; col += dilationW) {
      const at = row * w + col;
      const value = load<f32>(x + (<usize>at << 2));
      if (value > best || value != value) {
        best = value;
        winner = at;
      }
    }
  }
  store<f32>(out, best);
  store<i32>(positions, winner);
}

/** Four windows side by side, all of their columns inside. Comparing without branches is what makes it fast. */
@inline
function maxFour(
  x: usize, w: i32, top: i32, bottom: i32, left: i32, strideW: i32, kernelW: i32, dilationH: i32, dilationW: i32,
  out: usize, positions: usize,
): void {
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(strideW));
  let best = f32x4.splat(-Infinity);
  let winner = i32x4.add(lanes, i32x4.splat(top * w + left));
  for (let row = top; row < bottom; row += dilationH) {
    let at = row * w + left;
    for (let v = 0; v < kernelW; v++) {
      const value = loadApart(x + (<usize>at << 2), strideW);
      const wins = v128.or(f32x4.gt(value, best), f32x4.ne(value, value));
      best = v128.bitselect(value, best, wins);
      winner = v128.bitselect(i32x4.add(lanes, i32x4.splat(at)), winner, wins);
      at += dilationW;
    }
  }
  v128.store(out, best);
  v128.store(positions, winner);
}

/** The windows of `count` planes of h × w: maxima to `out`, positions to `positions`. */
export function maxPoolPlanes(
  x: usize, count: i32, h: i32, w: i32, kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
  dilationH: i32, dilationW: i32, outH: i32, outW: i32, out: usize, positions: usize,
): void {
  const across = (kernelW - 1) * dilationW + 1;
  for (let plane = 0; plane < count; plane++) {
    for (let i = 0; i < outH; i++) {
      let top = i * strideH - padTop;
      const bottom = min(h, top + (kernelH - 1) * dilationH + 1);
      while (top < 0) top += dilationH;
      for (let j = 0; j < outW; ) {
        let left = j * strideW - padLeft;
        if (left >= 0 && j + 4 <= outW && left + 3 * strideW + across <= w) {
          maxFour(x, w, top, bottom, left, strideW, kernelW, dilationH, dilationW, out, positions);
          j += 4;
          out += 16;
          positions += 16;
        } else {
          const right = min(w, left + across);
          while (left < 0) left += dilationW;
          maxOne(x, w, top, bottom, left, right, dilationH, dilationW, out, positions);
          j++;
          out += 4;
          positions += 4;
        }
      }
    }
    x += <usize>(h * w) << 2;
  }
}

/** Lane by lane the later number where it is greater or NaN. */
@inline
function wins(later: v128, best: v128): v128 {
  return v128.or(f32x4.gt(later, best), f32x4.ne(later, later));
}

/** Four windows of 2 × 2 at x, whose rows are `pitch` bytes apart, the first of them at position `at` of a plane of width w. */
@inline
function pairsOfFour(x: usize, pitch: usize, w: i32, at: i32, out: usize, positions: usize): void {
  const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x + pitch), d = v128.load(x + pitch, 16);
  let best = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
  const x1 = v128.shuffle<i32>(a, b, 1, 3, 5, 7), x2 = v128.shuffle<i32>(c, d, 0, 2, 4, 6);
  const x3 = v128.shuffle<i32>(c, d, 1, 3, 5, 7);
  const m1 = wins(x1, best);
  best = v128.bitselect(x1, best, m1);
  const m2 = wins(x2, best);
  best = v128.bitselect(x2, best, m2);
  const m3 = wins(x3, best);
  v128.store(out, v128.bitselect(x3, best, m3));
  if (!positions) return;
  // A mask is -1 in each of its lanes.
  let winner = v128.bitselect(i32x4.splat(w), i32x4.neg(m1), m2);
  winner = v128.bitselect(i32x4.splat(w + 1), winner, m3);
  v128.store(positions, i32x4.add(winner, i32x4.add(i32x4.splat(at), i32x4(0, 2, 4, 6))));
}

/** The maxima of four windows of 2 × 2, without their positions: the later number where it is greater. */
@inline
function largestOfFour(a: v128, b: v128, c: v128, d: v128): v128 {
  let best = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
  best = f32x4.pmax(best, v128.shuffle<i32>(a, b, 1, 3, 5, 7));
  best = f32x4.pmax(best, v128.shuffle<i32>(c, d, 0, 2, 4, 6));
  return f32x4.pmax(best, v128.shuffle<i32>(c, d, 1, 3, 5, 7));
}

/**
 * One row of windows without positions, at least four. Where there is a NaN this loses it: a row in which the sum of all
 * numbers is one has to be done again.
 * @returns whether that sum is a number
 */
@inline
function largestOfRow(from: usize, pitch: usize, outW: i32, out: usize): bool {
  let sum = f32x4.splat(0);
  const last = outW - 4;
  for (let j = 0; ; j = min(j + 4, last)) {
    const x = from + (<usize>j << 3);
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x + pitch), d = v128.load(x + pitch, 16);
    sum = f32x4.add(sum, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    v128.store(out + (<usize>j << 2), largestOfFour(a, b, c, d));
    if (j == last) break;
  }
  return v128.any_true(f32x4.ne(sum, sum)) == false;
}

/** maxPoolPlanes for windows of 2 × 2 side by side that lie inside; without `positions` where that is 0. */
export function maxPoolPairs(
  x: usize, count: i32, h: i32, w: i32, outH: i32, outW: i32, out: usize, positions: usize,
): void {
  const pitch = <usize>w << 2;
  const row = <usize>outW << 2;
  for (let plane = 0; plane < count; plane++) {
    for (let i = 0; i < outH; i++) {
      const from = x + <usize>(2 * i) * pitch;
      if (!positions && outW >= 4 && largestOfRow(from, pitch, outW, out)) {
        out += row;
        continue;
      }
      // The last four windows of a row begin where four fit, and what is left of a short row is computed one by one.
      for (let j = 0; j < outW; j += 4) {
        if (outW < 4) {
          for (let k = j; k < outW; k++) {
            const to = <usize>k << 2;
            maxOne(x, w, 2 * i, 2 * i + 2, 2 * k, 2 * k + 2, 1, 1, out + to, positions ? positions + to : unused);
          }
        } else {
          const k = min(j, outW - 4);
          const to = <usize>k << 2;
          pairsOfFour(from + 2 * to, pitch, w, 2 * i * w + 2 * k, out + to, positions ? positions + to : 0);
        }
      }
      out += row;
      if (positions) positions += row;
    }
    x += <usize>h * pitch;
  }
}

/** to[position] += gradient for each window of each plane: the gradient of a maximum goes to its winner. */
export function maxPoolGradPlanes(grad: usize, positions: usize, count: i32, inPlane: i32, outPlane: i32, to: usize): void {
  for (let plane = 0; plane < count; plane++) {
    for (let k = 0; k < outPlane; k++) {
      const at = to + (<usize>load<i32>(positions) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(grad));
      grad += 4;
      positions += 4;
    }
    to += <usize>inPlane << 2;
  }
}
