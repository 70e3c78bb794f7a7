/** https://docs.pytorch.org/vision/stable/utils.html */
import { RuntimeError, TypeError } from "../core/errors.ts";
import { Storage } from "../core/storage.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { stackRows } from "../data/rows.ts";

export interface MakeGridOptions {
  /** Pictures in a row. Default 8. */
  nrow?: number;
  /** Pixels between pictures and around them. Default 2. */
  padding?: number;
  /** Shifts and scales values to 0 … 1, by `valueRange`. Default false. */
  normalize?: boolean;
  /** [min, max] for `normalize`. Default: the tensor's own. */
  valueRange?: readonly [number, number] | null;
  /** Normalizes each picture by itself. Default false. */
  scaleEach?: boolean;
  /** Value of the padding. Default 0. */
  padValue?: number;
}

/**
 * Lays pictures side by side into one.
 *
 * @param tensor [count, channels, height, width], a list of pictures of the same size, or one picture
 * @returns [3 or channels, height, width]; a single picture comes back as it is, without padding
 */
export function makeGrid(tensor: Tensor | readonly Tensor[], options: MakeGridOptions = {}): Tensor {
  const { nrow = 8, padding = 2, padValue = 0 } = options;
  const { count, channels, height, width, dtype, data } = batchOf(tensor);
  const area = height * width;
  if (options.normalize) normalize(data, count, options);
  const shown = channels === 1 ? 3 : channels;
  const columns = count === 1 ? 1 : Math.min(nrow, count);
  const border = count === 1 ? 0 : padding;
  const gridHeight = (height + border) * Math.ceil(count / columns) + border;
  const gridWidth = (width + border) * columns + border;
  const storage = Storage.allocate(dtype, shown * gridHeight * gridWidth);
  if (padValue !== 0) storage.data.fill(padValue);
  for (let k = 0; k < count; k++) {
    const top = Math.floor(k / columns) * (height + border) + border;
    const left = (k % columns) * (width + border) + border;
    for (let channel = 0; channel < shown; channel++) {
      const plane = (k * channels + (channels === 1 ? 0 : channel)) * area;
      for (let y = 0; y < height; y++) {
        const row = data.subarray(plane + y * width, plane + (y + 1) * width);
        storage.data.set(row, (channel * gridHeight + top + y) * gridWidth + left);
      }
    }
  }
  return new Tensor(storage, [shown, gridHeight, gridWidth]);
}

function batchOf(tensor: Tensor | readonly Tensor[]) {
  if (!(tensor instanceof Tensor) && !(Array.isArray(tensor) && tensor.every((item) => item instanceof Tensor))) {
    throw new TypeError(`tensor or list of tensors expected, got <class '${pythonTypeName(tensor)}'>`);
  }
  const batch = tensor instanceof Tensor ? tensor : stackRows(tensor);
  if (batch.ndim < 2 || batch.ndim > 4) {
    throw new RuntimeError(`make_grid expects pictures of 2, 3 or 4 dimensions, but got shape ${batch.shape}`, {
      shapes: [batch.shape],
    });
  }
  // [height, width] and [channels, height, width] are one picture.
  const [count, channels, height, width] = [...[1, 1, 1].slice(0, 4 - batch.ndim), ...batch.shape] as number[];
  const data = batch.denseData().slice();
  return { count: count!, channels: channels!, height: height!, width: width!, dtype: batch.dtype, data };
}

function normalize(data: ReturnType<Tensor["denseData"]>, count: number, options: MakeGridOptions): void {
  const { valueRange = null, scaleEach = false } = options;
  if (valueRange !== null && !Array.isArray(valueRange)) {
    throw new TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers");
  }
  const groups = scaleEach ? count : 1;
  const size = data.length / groups;
  for (let group = 0; group < groups; group++) {
    const values = data.subarray(group * size, (group + 1) * size);
    let [low, high] = valueRange ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    if (!valueRange) {
      for (let i = 0; i < values.length; i++) {
        low = Math.min(low, values[i]!);
        high = Math.max(high, values[i]!);
      }
    }
    const span = Math.max(high - low, 1e-5);
    const single = data instanceof Float32Array;
    for (let i = 0; i < values.length; i++) {
      const clamped = Math.min(Math.max(values[i]!, low), high);
      const shifted = single ? Math.fround(clamped - Math.fround(low)) : clamped - low;
      values[i] = shifted / (single ? Math.fround(span) : span);
    }
  }
}
