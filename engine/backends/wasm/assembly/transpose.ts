/** Four by four numbers at x, whose rows are `pitch` bytes apart, to out with rows and columns exchanged. */
@inline
function turnFour(x: usize, pitch: usize, out: usize, outPitch: usize): void {
  const a = v128.load(x), b = v128.load(x + pitch), c = v128.load(x + 2 * pitch), d = v128.load(x + 3 * pitch);
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(ab0, cd0, 0, 2));
  v128.store(out + outPitch, v128.shuffle<i64>(ab0, cd0, 1, 3));
  v128.store(out + 2 * outPitch, v128.shuffle<i64>(ab1, cd1, 0, 2));
  v128.store(out + 3 * outPitch, v128.shuffle<i64>(ab1, cd1, 1, 3));
}

/** x [rows, cols] → out [cols, rows], in bands of 16 rows of x, which are whole cache lines of out. */
export function transpose(x: usize, rows: i32, cols: i32, out: usize): void {
  const pitch = <usize>cols << 2, outPitch = <usize>rows << 2;
  for (let band = 0; band < rows; band += 16) {
    const end = min(rows, band + 16);
    for (let j = 0; j < cols; j += 4) {
      for (let i = band; i < end; i += 4) {
        const from = x + <usize>i * pitch + (<usize>j << 2);
        const to = out + <usize>j * outPitch + (<usize>i << 2);
        if (i + 4 <= rows && j + 4 <= cols) turnFour(from, pitch, to, outPitch);
        else turnSome(from, pitch, to, outPitch, min(4, rows - i), min(4, cols - j));
      }
    }
  }
}

function turnSome(x: usize, pitch: usize, out: usize, outPitch: usize, rows: i32, cols: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      store<i32>(out + <usize>j * outPitch + (<usize>i << 2), load<i32>(x + <usize>i * pitch + (<usize>j << 2)));
    }
  }
}
