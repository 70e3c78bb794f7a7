/** Rows of tensors: taking one out, and putting rows together. */
import { CPU, onDevice } from "../core/device.ts";
import { Storage } from "../core/storage.ts";
import { anyRequiresGrad, Tensor } from "../core/tensor.ts";
import { at } from "../ops/indexing.ts";
import { stack } from "../ops/joining.ts";

/** `tensor[index]`. */
export function selectRow(tensor: Tensor, index: number): Tensor {
  return at(tensor, index);
}

/** `torch.stack(rows)`; where no graph is recorded, rows on the CPU are copied straight into place. */
export function stackRows(rows: readonly Tensor[]): Tensor {
  const first = rows[0];
  const alike = first && rows.every(({ dtype, shape }) => dtype === first.dtype && sameSizes(shape, first.shape));
  if (!alike || anyRequiresGrad(rows) || rows.some((row) => row.device !== CPU)) return stack([...rows]);
  const size = first.numel();
  const storage = onDevice(CPU, null, () => Storage.allocate(first.dtype, size * rows.length));
  rows.forEach((row, i) => {
    storage.data.set(row.denseData(), i * size);
  });
  return new Tensor(storage, [rows.length, ...first.shape]);
}

function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
