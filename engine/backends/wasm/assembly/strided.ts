/**
 * [rows, cols] numbers that lie rowStep and colStep bytes apart, to dense ones. Rows are written in whole vectors, each over
 * the end of the one before: the host leaves room behind the last.
 */
export function lay(x: usize, rows: i32, rowStep: usize, cols: i32, colStep: usize, out: usize): void {
  const pitch = <usize>cols << 2;
  for (let r = 0; r < rows; r++) {
    const end = out + pitch;
    if (colStep == 0) {
      const v = v128.load32_splat(x);
      for (let to = out; to < end; to += 16) v128.store(to, v);
    } else if (colStep == 4) {
      for (let to = out, from = x; to < end; to += 16, from += 16) v128.store(to, v128.load(from));
    } else {
      for (let to = out, from = x; to < end; to += 4, from += colStep) store<i32>(to, load<i32>(from));
    }
    x += rowStep;
    out = end;
  }
}
