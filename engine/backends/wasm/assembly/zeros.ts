// Where images are zero in every channel, and what a convolution with rounding errors must then leave exactly as it is.
// A map holds one number of 32 bits per pixel, zero where the pixel is.

/**
 * to[p] = whether some plane of x [planes, cells] has anything but zero at p, -0 being one too. Whether that is so
 * everywhere. Stops as soon as it is, so that of images without dark pixels only the first planes are read.
 */
export function occupied(x: usize, planes: i32, cells: i32, to: usize): bool {
  const plane = <usize>cells << 2;
  let everywhere = true;
  let p = 0;
  // A cache line at a time.
  for (; p + 16 <= cells; p += 16) {
    let from = x + (<usize>p << 2);
    let a = i32x4.splat(0), b = a, c = a, d = a;
    let full = false;
    for (let rest = planes; rest > 0 && !full; rest--) {
      a = v128.or(a, i32x4.shl(v128.load(from), 1));
      b = v128.or(b, i32x4.shl(v128.load(from, 16), 1));
      c = v128.or(c, i32x4.shl(v128.load(from, 32), 1));
      d = v128.or(d, i32x4.shl(v128.load(from, 48), 1));
      full = i32x4.all_true(i32x4.min_u(i32x4.min_u(a, b), i32x4.min_u(c, d)));
      from += plane;
    }
    v128.store(to, a);
    v128.store(to, b, 16);
    v128.store(to, c, 32);
    v128.store(to, d, 48);
    to += 64;
    everywhere = everywhere && full;
  }
  for (; p < cells; p++) {
    let from = x + (<usize>p << 2);
    let seen: u32 = 0;
    for (let rest = planes; rest > 0 && seen == 0; rest--) {
      seen = load<u32>(from) << 1;
      from += plane;
    }
    store<u32>(to, seen);
    to += 4;
    everywhere = everywhere && seen != 0;
  }
  return everywhere;
}

/**
 * out [rows, outH, outW] = bias [rows] where the window over the map [h, w] has nothing under its taps. `taps` holds the
 * pairs (down, across) at which some kernel is not zero.
 */
export function clearWindows(
  map: usize, h: i32, w: i32, top: i32, left: i32, taps: usize, count: i32, bias: usize, rows: i32, out: usize,
  outH: i32, outW: i32,
): void {
  const plane = <usize>(outH * outW) << 2;
  const end = taps + (<usize>count << 3);
  for (let i = 0; i < outH; i++) {
    for (let j = 0; j < outW; j++) {
      let seen = false;
      for (let t = taps; t < end && !seen; t += 8) {
        const y = i - top + load<i32>(t), x = j - left + load<i32>(t, 4);
        seen = y >= 0 && y < h && x >= 0 && x < w && load<u32>(map + (<usize>(y * w + x) << 2)) != 0;
      }
      if (seen) continue;
      let to = out + (<usize>(i * outW + j) << 2);
      for (let r = 0; r < rows; r++) {
        store<f32>(to, load<f32>(bias + (<usize>r << 2)));
        to += plane;
      }
    }
  }
}

/**
 * met[u][v] = 1 where, at that place of the kernel [size, size], something of the image's map [h, w] meets something of the
 * gradient's [outH, outW]; what is 1 already stays so. Whether all are.
 */
export function meetTaps(
  map: usize, h: i32, w: i32, top: i32, left: i32, grad: usize, outH: i32, outW: i32, size: i32, met: usize,
): bool {
  let all = true;
  for (let u = 0; u < size; u++) {
    for (let v = 0; v < size; v++) {
      if (load<u32>(met) == 0) {
        const found = meets(map, h, w, u - top, v - left, grad, outH, outW);
        store<u32>(met, found ? 1 : 0);
        all = all && found;
      }
      met += 4;
    }
  }
  return all;
}

/** Whether some grad[i][j] and map[i + down][j + across] are both not zero. */
function meets(map: usize, h: i32, w: i32, down: i32, across: i32, grad: usize, outH: i32, outW: i32): bool {
  const bottom = min(outH, h - down), right = min(outW, w - across);
  for (let i = max(0, -down); i < bottom; i++) {
    for (let j = max(0, -across); j < right; j++) {
      if (load<u32>(grad + (<usize>(i * outW + j) << 2)) == 0) continue;
      if (load<u32>(map + (<usize>((i + down) * w + j + across) << 2)) != 0) return true;
    }
  }
  return false;
}
