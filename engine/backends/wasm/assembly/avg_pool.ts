// Average pooling and its gradient. A window that ceilMode pushes past the padding is clipped to it before cells are counted;
// cells in the padding count as zeros, or not at all.

/** The sum of rows top … bottom and columns left … right. */
@inline
function sumOf(x: usize, w: i32, top: i32, bottom: i32, left: i32, right: i32): f32 {
  let total: f32 = 0;
  for (let row = top; row < bottom; row++) {
    const end = x + (<usize>(row * w + right) << 2);
    for (let at = x + (<usize>(row * w + left) << 2); at < end; at += 4) total += load<f32>(at);
  }
  return total;
}

/** By what a window's sum is divided: `divisor` unless it is 0, else its cells, those of the padding included or not. */
@inline
function countOf(divisor: f32, withPadding: bool, all: i32, inside: i32): f32 {
  return divisor != 0 ? divisor : <f32>(withPadding ? all : inside);
}

export function avgPoolPlanes(
  x: usize, count: i32, h: i32, w: i32, kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
  outH: i32, outW: i32, withPadding: bool, divisor: f32, out: usize,
): void {
  for (let plane = 0; plane < count; plane++) {
    for (let i = 0; i < outH; i++) {
      const row = i * strideH - padTop;
      const down = min(row + kernelH, h + padTop) - row;
      const top = max(row, 0);
      const bottom = min(row + down, h);
      for (let j = 0; j < outW; j++) {
        const col = j * strideW - padLeft;
        const across = min(col + kernelW, w + padLeft) - col;
        const left = max(col, 0);
        const right = min(col + across, w);
        const n = countOf(divisor, withPadding, down * across, (bottom - top) * (right - left));
        const inside = top < bottom && left < right;
        store<f32>(out, inside ? sumOf(x, w, top, bottom, left, right) / n : 0);
        out += 4;
      }
    }
    x += <usize>(h * w) << 2;
  }
}

/** Every cell of a window gets the window's gradient, divided as the average was; `to` starts as zeros. */
export function avgPoolGradPlanes(
  grad: usize, count: i32, h: i32, w: i32, kernelH: i32, kernelW: i32, strideH: i32, strideW: i32, padTop: i32, padLeft: i32,
  outH: i32, outW: i32, withPadding: bool, divisor: f32, to: usize,
): void {
  for (let plane = 0; plane < count; plane++) {
    for (let i = 0; i < outH; i++) {
      const row = i * strideH - padTop;
      const down = min(row + kernelH, h + padTop) - row;
      const top = max(row, 0);
      const bottom = min(row + down, h);
      for (let j = 0; j < outW; j++) {
        const col = j * strideW - padLeft;
        const across = min(col + kernelW, w + padLeft) - col;
        const left = max(col, 0);
        const right = min(col + across, w);
        const share = load<f32>(grad) / countOf(divisor, withPadding, down * across, (bottom - top) * (right - left));
        for (let r = top; r < bottom; r++) {
          const end = to + (<usize>(r * w + right) << 2);
          for (let at = to + (<usize>(r * w + left) << 2); at < end; at += 4) store<f32>(at, load<f32>(at) + share);
        }
        grad += 4;
      }
    }
    to += <usize>(h * w) << 2;
  }
}
