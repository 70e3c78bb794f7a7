// Maximum pooling with the flat positions of the winners, as float64. Padding never wins; a NaN does.

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
  store<f64>(positions, <f64>winner);
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
  v128.store(positions, f64x2.convert_low_i32x4_s(winner));
  v128.store(positions, f64x2.convert_low_i32x4_s(v128.shuffle<i32>(winner, winner, 2, 3, 2, 3)), 16);
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
          positions += 32;
        } else {
          const right = min(w, left + across);
          while (left < 0) left += dilationW;
          maxOne(x, w, top, bottom, left, right, dilationH, dilationW, out, positions);
          j++;
          out += 4;
          positions += 8;
        }
      }
    }
    x += <usize>(h * w) << 2;
  }
}

/** to[position] += gradient for each window of each plane: the gradient of a maximum goes to its winner. */
export function maxPoolGradPlanes(grad: usize, positions: usize, count: i32, inPlane: i32, outPlane: i32, to: usize): void {
  for (let plane = 0; plane < count; plane++) {
    for (let k = 0; k < outPlane; k++) {
      const at = to + (<usize>load<f64>(positions) << 2);
      store<f32>(at, load<f32>(at) + load<f32>(grad));
      grad += 4;
      positions += 8;
    }
    to += <usize>inPlane << 2;
  }
}
