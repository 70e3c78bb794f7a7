/**
 * Convolution and pooling by brute force, written from PyTorch's documentation and not from engine/core/window.ts, so that
 * index maps and explanations have something independent to be held against. Also serves the harness page's what-ifs.
 */
import type { ConvRecord, OpRecord, PoolRecord, TensorView } from "../../../engine/inspect/records.ts";

export type Pair = [number, number];

export function view(shape: number[], data: number[], dtype: TensorView["dtype"] = "float32"): TensorView {
  const strides = shape.map((_, k) => shape.slice(k + 1).reduce((a, b) => a * b, 1));
  const dense = dtype === "float32" ? Float32Array.from(data) : Float64Array.from(data);
  return { shape, strides, offset: 0, dtype, storageId: 0, version: 0, data: dense, requiresGrad: false, gradFn: null };
}

let nextId = 1000;

export interface ConvCall {
  stride: Pair;
  padding: Pair | "same" | "valid";
  dilation: Pair;
  groups: number;
}

/** The padded input is built explicitly and the kernel laid on it. */
export function naiveConv(x: TensorView, w: TensorView, b: TensorView | null, call: ConvCall): ConvRecord {
  const [n, c, h, wd] = x.shape as [number, number, number, number];
  const [o, perGroup, kh, kw] = w.shape as [number, number, number, number];
  const { stride, dilation, groups } = call;
  const span: Pair = [dilation[0] * (kh - 1), dilation[1] * (kw - 1)];
  const before: Pair =
    call.padding === "same"
      ? [Math.floor(span[0] / 2), Math.floor(span[1] / 2)]
      : call.padding === "valid"
        ? [0, 0]
        : call.padding;
  const after: Pair = call.padding === "same" ? [span[0] - before[0], span[1] - before[1]] : before;
  const ph = h + before[0] + after[0];
  const pw = wd + before[1] + after[1];
  const outH = Math.floor((ph - span[0] - 1) / stride[0]) + 1;
  const outW = Math.floor((pw - span[1] - 1) / stride[1]) + 1;
  const padded = (s: number, channel: number, row: number, col: number) => {
    const r = row - before[0];
    const k = col - before[1];
    return r < 0 || k < 0 || r >= h || k >= wd ? 0 : x.data[((s * c + channel) * h + r) * wd + k]!;
  };
  const out: number[] = [];
  for (let s = 0; s < n; s++)
    for (let filter = 0; filter < o; filter++)
      for (let i = 0; i < outH; i++)
        for (let j = 0; j < outW; j++) {
          let sum = b ? b.data[filter]! : 0;
          const group = Math.floor(filter / (o / groups));
          for (let k = 0; k < perGroup; k++)
            for (let u = 0; u < kh; u++)
              for (let v = 0; v < kw; v++)
                sum +=
                  w.data[((filter * perGroup + k) * kh + u) * kw + v]! *
                  padded(s, group * perGroup + k, i * stride[0] + u * dilation[0], j * stride[1] + v * dilation[1]);
          out.push(sum);
        }
  return {
    id: nextId++,
    cellId: "cell",
    line: 1,
    module: "",
    op: "conv2d",
    attrs: call,
    geometry: {
      n,
      c,
      h,
      w: wd,
      o,
      groups,
      kernelH: kh,
      kernelW: kw,
      strideH: stride[0],
      strideW: stride[1],
      padTop: before[0],
      padLeft: before[1],
      dilationH: dilation[0],
      dilationW: dilation[1],
      outH,
      outW,
    },
    inputs: { input: x, weight: w, bias: b },
    output: view([n, o, outH, outW], out, x.dtype),
  };
}

export type PoolCall = PoolRecord["attrs"];

/** The input is padded with -inf (max) or 0 (avg) and windows are enumerated from position 0 until none may start. */
export function naivePool(x: TensorView, op: PoolRecord["op"], call: PoolCall): PoolRecord {
  const [n, c, h, wd] = x.shape as [number, number, number, number];
  const stride = call.stride ?? call.kernelSize;
  const starts = (size: number, axis: 0 | 1) => {
    const found: number[] = [];
    const span = call.dilation[axis] * (call.kernelSize[axis] - 1);
    const end = size + 2 * call.padding[axis];
    for (let start = 0; ; start += stride[axis]) {
      const fits = start + span < end;
      const partly = call.ceilMode && start < size + call.padding[axis] && start + span - (stride[axis] - 1) < end;
      if (!fits && !partly) break;
      if (call.ceilMode && start >= size + call.padding[axis]) break;
      found.push(start - call.padding[axis]);
    }
    return found;
  };
  const rows = starts(h, 0);
  const cols = starts(wd, 1);
  const out: number[] = [];
  const winners: number[] = [];
  for (let s = 0; s < n * c; s++)
    for (const top of rows)
      for (const left of cols) {
        let best = Number.NEGATIVE_INFINITY;
        let winner = -1;
        let sum = 0;
        let inside = 0;
        let inPadded = 0;
        for (let u = 0; u < call.kernelSize[0]; u++)
          for (let v = 0; v < call.kernelSize[1]; v++) {
            const row = top + u * call.dilation[0];
            const col = left + v * call.dilation[1];
            if (row < h + call.padding[0] && col < wd + call.padding[1]) inPadded++;
            if (row < 0 || col < 0 || row >= h || col >= wd) continue;
            const value = x.data[(s * h + row) * wd + col]!;
            inside++;
            sum += value;
            if (winner < 0 || value > best) {
              best = value;
              winner = row * wd + col;
            }
          }
        out.push(
          op === "max_pool2d" ? best : sum / (call.divisorOverride ?? (call.countIncludePad ? inPadded : inside)),
        );
        winners.push(winner);
      }
  const shape = [n, c, rows.length, cols.length];
  return {
    id: nextId++,
    cellId: "cell",
    line: 1,
    module: "",
    op,
    attrs: call,
    geometry: {
      n,
      c,
      h,
      w: wd,
      kernelH: call.kernelSize[0],
      kernelW: call.kernelSize[1],
      strideH: stride[0],
      strideW: stride[1],
      padTop: call.padding[0],
      padLeft: call.padding[1],
      dilationH: call.dilation[0],
      dilationW: call.dilation[1],
      outH: rows.length,
      outW: cols.length,
    },
    inputs: { input: x },
    output: view(shape, out, x.dtype),
    indices: op === "max_pool2d" ? view(shape, winners, "int64") : null,
  };
}

/** Gradients of sum(output · seed) by finite differences of the brute-force forward: slow, and independent of any backward. */
export function naiveGradients(record: OpRecord, seed: number[]): Record<string, number[]> {
  const run = (inputs: Record<string, TensorView | null>) =>
    record.op === "conv2d"
      ? naiveConv(inputs.input!, inputs.weight!, inputs.bias ?? null, record.attrs)
      : naivePool(inputs.input!, record.op, record.attrs);
  const inputs: Record<string, TensorView | null> = {};
  for (const [name, tensor] of Object.entries(record.inputs))
    inputs[name] = tensor && { ...tensor, dtype: "float64", data: Float64Array.from(tensor.data) };
  const value = (changed: Record<string, TensorView | null>) => {
    let sum = 0;
    const { data } = run(changed).output;
    for (let k = 0; k < data.length; k++) sum += data[k]! * seed[k]!;
    return sum;
  };
  const base = value(inputs);
  const gradients: Record<string, number[]> = {};
  for (const [name, tensor] of Object.entries(inputs)) {
    if (!tensor) continue;
    gradients[name] = Array.from(tensor.data, (x, k) => {
      const step = 2 ** -20;
      const data = Float64Array.from(tensor.data);
      data[k] = x + step;
      return (value({ ...inputs, [name]: { ...tensor, data } }) - base) / step;
    });
  }
  return gradients;
}
