// How images are laid out before the kernels read them.

/**
 * One phase of each channel with padding: to[i][j] = x[i·strideH + shiftH][j·strideW + shiftW], zero outside x [h, w].
 * With stride 1 this is the padded image; a strided convolution reads each phase as if its stride were 1.
 * `toStep` bytes lie between the channels of `to`.
 */
export function padPlanes(
  x: usize, channels: i32, h: i32, w: i32, to: usize, toStep: usize, rows: i32, cols: i32,
  strideH: i32, strideW: i32, shiftH: i32, shiftW: i32,
): void {
  const first = min(cols, shiftW < 0 ? (-shiftW + strideW - 1) / strideW : 0);
  const end = max(first, min(cols, shiftW < w ? (w - 1 - shiftW) / strideW + 1 : 0));
  for (let c = 0; c < channels; c++) {
    let at = to;
    for (let i = 0; i < rows; i++) {
      const row = i * strideH + shiftH;
      if (row < 0 || row >= h) {
        for (let j = 0; j < cols; j++) store<f32>(at + (<usize>j << 2), 0);
      } else {
        padRow(x + (<usize>(row * w + first * strideW + shiftW) << 2), strideW, at, first, end, cols);
      }
      at += <usize>cols << 2;
    }
    x += <usize>(h * w) << 2;
    to += toStep;
  }
}

@inline
function padRow(from: usize, step: i32, to: usize, first: i32, end: i32, cols: i32): void {
  let j = 0;
  for (; j < first; j++) store<f32>(to + (<usize>j << 2), 0);
  if (step == 1) {
    for (; j + 4 <= end; j += 4) {
      v128.store(to + (<usize>j << 2), v128.load(from));
      from += 16;
    }
  }
  for (; j < end; j++) {
    store<f32>(to + (<usize>j << 2), load<f32>(from));
    from += <usize>step << 2;
  }
  for (; j < cols; j++) store<f32>(to + (<usize>j << 2), 0);
}

/** x [channels, h, w] → to [rows, cols, channels], shifted by the padding; `to` must be zero where the padding is. */
export function channelsLast(
  x: usize, channels: i32, h: i32, w: i32, to: usize, rows: i32, cols: i32, padTop: i32, padLeft: i32,
): void {
  const pixel = <usize>channels << 2;
  const plane = <usize>(h * w) << 2;
  const bottom = min(h, rows - padTop);
  const right = min(w, cols - padLeft);
  for (let i = max(0, -padTop); i < bottom; i++) {
    for (let j = max(0, -padLeft); j < right; j++) {
      let from = x + (<usize>(i * w + j) << 2);
      let at = to + <usize>((i + padTop) * cols + j + padLeft) * pixel;
      for (let c = 0; c < channels; c++) {
        store<f32>(at, load<f32>(from));
        from += plane;
        at += 4;
      }
    }
  }
}

/** One phase of each channel back into its place: x [channels, rows, cols] → to[c][i·strideH][j·strideW], to being h × w. */
export function spreadPlanes(
  x: usize, channels: i32, rows: i32, cols: i32, to: usize, h: i32, w: i32, strideH: i32, strideW: i32,
): void {
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < rows; i++) {
      let at = to + (<usize>(i * strideH * w) << 2);
      for (let j = 0; j < cols; j++) {
        store<f32>(at, load<f32>(x));
        x += 4;
        at += <usize>strideW << 2;
      }
    }
    to += <usize>(h * w) << 2;
  }
}

/** to [rows, count] from x[r·rowStride + table[k]]; strides and table count floats. */
export function gatherRows(x: usize, rowStride: i32, table: usize, rows: i32, count: i32, to: usize): void {
  for (let r = 0; r < rows; r++) {
    const row = x + ((<usize>r * rowStride) << 2);
    for (let k = 0; k < count; k++) {
      store<f32>(to, load<f32>(row + (<usize>load<u32>(table + (<usize>k << 2)) << 2)));
      to += 4;
    }
  }
}
