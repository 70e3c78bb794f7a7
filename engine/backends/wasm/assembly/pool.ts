/**
 * Maximum over each window of `count` planes of h × w, and its flat position as float64. Padding never wins; a NaN does.
 */
export function maxPoolPlanes(
  x: usize, count: i32, h: i32, w: i32, kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
  dilationH: i32, dilationW: i32, outH: i32, outW: i32, out: usize, positions: usize,
): void {
  for (let plane = 0; plane < count; plane++) {
    for (let i = 0; i < outH; i++) {
      let top = i * strideH - padTop;
      const bottom = min(h, top + (kernelH - 1) * dilationH + 1);
      while (top < 0) top += dilationH;
      for (let j = 0; j < outW; j++) {
        let left = j * strideW - padLeft;
        const right = min(w, left + (kernelW - 1) * dilationW + 1);
        while (left < 0) left += dilationW;
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
        out += 4;
        positions += 8;
      }
    }
    x += <usize>(h * w) << 2;
  }
}
