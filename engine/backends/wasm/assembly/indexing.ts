// Along the middle axis of [outer, n, inner]. Indices are the doubles of int64, which the host has checked with `within`.

/** Whether all of `count` doubles are in [0, n). */
export function within(index: usize, count: i32, n: i32): bool {
  const zero = f64x2.splat(0), limit = f64x2.splat(<f64>n);
  const whole = index + (<usize>(count & ~1) << 3);
  let kept = i64x2.splat(-1);
  while (index < whole) {
    const i = v128.load(index);
    kept = v128.and(kept, v128.and(f64x2.ge(i, zero), f64x2.lt(i, limit)));
    index += 16;
  }
  if (count & 1) {
    const i = load<f64>(index);
    if (!(i >= 0 && i < <f64>n)) return false;
  }
  return i64x2.all_true(kept);
}

/** x [outer, n, inner] → out [outer, m, inner]. Rows are written in whole vectors, each over the end of the one before. */
export function selectRows(x: usize, outer: i32, n: i32, inner: i32, index: usize, m: i32, out: usize): void {
  const pitch = <usize>inner << 2, last = index + (<usize>m << 3);
  for (let r = 0; r < outer; r++) {
    for (let at = index; at < last; at += 8) {
      let from = x + <usize><i32>load<f64>(at) * pitch;
      const end = out + pitch;
      if (inner == 1) store<i32>(out, load<i32>(from));
      else {
        for (let to = out; to < end; to += 16) {
          v128.store(to, v128.load(from));
          from += 16;
        }
      }
      out = end;
    }
    x += <usize>n * pitch;
  }
}

/** out [outer, n, inner] += source [outer, m, inner], in the order of the source. */
export function addRows(out: usize, outer: i32, n: i32, inner: i32, index: usize, m: i32, source: usize): void {
  const pitch = <usize>inner << 2, last = index + (<usize>m << 3), whole = <usize>(inner & ~3) << 2;
  for (let r = 0; r < outer; r++) {
    for (let at = index; at < last; at += 8) {
      let to = out + <usize><i32>load<f64>(at) * pitch;
      const wholeEnd = source + whole, end = source + pitch;
      while (source < wholeEnd) {
        v128.store(to, f32x4.add(v128.load(to), v128.load(source)));
        source += 16;
        to += 16;
      }
      while (source < end) {
        store<f32>(to, load<f32>(to) + load<f32>(source));
        source += 4;
        to += 4;
      }
    }
    out += <usize>n * pitch;
  }
}

/** x [outer, n, inner], index [outer, m, inner] → out [outer, m, inner]. */
export function gather(x: usize, outer: i32, n: i32, inner: i32, index: usize, m: i32, out: usize): void {
  const pitch = <usize>inner << 2;
  for (let r = 0; r < outer; r++) {
    for (let k = 0; k < m; k++) {
      for (let c: usize = 0; c < pitch; c += 4) {
        store<i32>(out + c, load<i32>(x + <usize><i32>load<f64>(index) * pitch + c));
        index += 8;
      }
      out += pitch;
    }
    x += <usize>n * pitch;
  }
}

/** out [outer, n, inner] += source [outer, m, inner] at index [outer, m, inner], in the order of the source. */
export function scatterAdd(out: usize, outer: i32, n: i32, inner: i32, index: usize, m: i32, source: usize): void {
  const pitch = <usize>inner << 2;
  for (let r = 0; r < outer; r++) {
    for (let k = 0; k < m; k++) {
      for (let c: usize = 0; c < pitch; c += 4) {
        const to = out + <usize><i32>load<f64>(index) * pitch + c;
        store<f32>(to, load<f32>(to) + load<f32>(source + c));
        index += 8;
      }
      source += pitch;
    }
    out += <usize>n * pitch;
  }
}
