/** Sums of cells of each plane, where the CPU only knows which cells: it sends their positions, and kernels do the rest. */
import { kernels } from "../backends/index.ts";
import { CPU } from "../core/device.ts";
import { allocate, type DType, float32, int64 } from "../core/dtype.ts";
import { Storage } from "../core/storage.ts";
import { Tensor } from "../core/tensor.ts";
import { binary, denseRaw, filled, viewAs } from "./operands.ts";

/** Which cells of a plane add to which, and how much of each. */
export interface CellMap {
  from: readonly number[];
  to: readonly number[];
  /** Default 1 each. */
  weights: readonly number[] | null;
}

/** Whether an operation on x is to go by kernels alone: float32 elements that are on a device. */
export function goesByKernels(x: Tensor): boolean {
  return x.device !== CPU && x.dtype === float32;
}

function sent(values: readonly number[], dtype: DType, like: Tensor): Tensor {
  const data = allocate(dtype, values.length);
  data.set(values);
  return new Tensor(new Storage(dtype, data, like.device), [values.length]);
}

/** x of `planes` planes as a tensor of `shape`, each plane of it the sums that `map` says of the same plane of x. */
export function mapCells(x: Tensor, planes: number, shape: readonly number[], map: CellMap): Tensor {
  const out = filled(shape, 0, x.dtype);
  const count = map.from.length;
  if (planes === 0 || count === 0) return out;
  const cells = (whole: Tensor) => [planes, whole.numel() / planes, 1];
  const dense = denseRaw(x.detach());
  const picked = Tensor.empty([planes, count], x.dtype);
  kernels.indexSelect(
    viewAs(dense, cells(dense)),
    sent(map.from, int64, x).kernelView,
    viewAs(picked, [planes, count, 1]),
  );
  const parts = map.weights === null ? picked : binary("mul", picked, sent(map.weights, x.dtype, x));
  kernels.indexAdd(viewAs(out, cells(out)), sent(map.to, int64, x).kernelView, viewAs(parts, [planes, count, 1]));
  return out;
}
