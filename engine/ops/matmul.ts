/** Products of matrices and vectors. https://docs.pytorch.org/docs/2.13/generated/torch.matmul.html */
import { kernels } from "../backends/index.ts";
import { bind } from "../core/arguments.ts";
import { bool } from "../core/dtype.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { CPP_NAMES, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { broadcastShapes, numel, sizeText } from "../core/shape.ts";
import { checked } from "../core/signature.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { add, mul } from "./arithmetic.ts";
import { contiguous } from "./copy.ts";
import { eye } from "./creation.ts";
import { viewAs } from "./operands.ts";
import { sum } from "./reduce.ts";
import { call, defineOp, type Method, methods, type Op } from "./registry.ts";
import { expand, reshape, t, transpose, unsafeSqueeze, unsafeView, unsqueeze, view } from "./view.ts";

function assertSameDtype(a: Tensor, b: Tensor): void {
  if (a.dtype !== b.dtype) {
    throw new RuntimeError(
      `expected m1 and m2 to have the same dtype, but got: ${CPP_NAMES[a.dtype.name]} != ${CPP_NAMES[b.dtype.name]}`,
      { hint: `convert one of them: x.to(torch.${a.dtype.isFloatingPoint ? a.dtype.name : b.dtype.name})` },
    );
  }
}

/** [n, k] · [k, m] without gradient; strides are free. */
function product(a: Tensor, b: Tensor): Tensor {
  const [n, k] = a.shape as unknown as [number, number];
  const m = b.shape[1]!;
  const out = Tensor.empty([n, m], a.dtype);
  kernels.matmul(
    viewAs(a, [1, n, k], [0, a.strides[0]!, a.strides[1]!]),
    viewAs(b, [1, k, m], [0, b.strides[0]!, b.strides[1]!]),
    viewAs(out, [1, n, m]),
  );
  return out;
}

/** Whether the columns of a matrix lie one by one, as those of a layer's transposed weight do. */
function inColumns({ shape, strides }: Tensor): boolean {
  return strides[0] === 1 && strides[1] === shape[0];
}

/** The gradients of both factors of a product, each in the memory order of its factor (ATen's mm_mat1_grad and mm_mat2_grad). */
function factorGradients(grad: Tensor, a: Tensor | null, b: Tensor | null, [aTurned, bTurned]: readonly boolean[]) {
  return [
    b ? (aTurned ? t(call(Mm, null, b, t(grad))) : call(Mm, null, grad, t(b))) : null,
    a ? (bTurned ? t(call(Mm, null, t(grad), a)) : call(Mm, null, t(a), grad)) : null,
  ] as const;
}

const Mm: Op<null> = defineOp({
  name: "mm",
  gradFn: "MmBackward0",
  kernels: ["matmul"],
  forward(ctx, a: Tensor, b: Tensor) {
    ctx.save(ctx.needs[1] ? a : null, ctx.needs[0] ? b : null);
    ctx.notes = [inColumns(a), inColumns(b)];
    return product(a, b);
  },
  backward({ saved: [a, b], notes }, grad: Tensor) {
    return [...factorGradients(grad, a ?? null, b ?? null, notes as boolean[])];
  },
});

const Bmm: Op<null> = defineOp({
  name: "bmm",
  gradFn: "BmmBackward0",
  kernels: ["matmul"],
  forward(ctx, a: Tensor, b: Tensor) {
    ctx.save(ctx.needs[1] ? a : null, ctx.needs[0] ? b : null);
    const out = Tensor.empty([a.shape[0]!, a.shape[1]!, b.shape[2]!], a.dtype);
    kernels.matmul(a.kernelView, b.kernelView, out.kernelView);
    return out;
  },
  backward({ saved: [a, b] }, grad: Tensor) {
    return [b ? bmm(grad, transpose(b, 1, 2)) : null, a ? bmm(transpose(a, 1, 2), grad) : null];
  },
});

const Mv: Op<null> = defineOp({
  name: "mv",
  gradFn: "MvBackward0",
  kernels: ["matmul"],
  forward(ctx, a: Tensor, v: Tensor) {
    ctx.save(a, v);
    const column = new Tensor(v.storage, [v.shape[0]!, 1], [v.strides[0]!, 0], v.offset);
    return new Tensor(product(a, column).storage, [a.shape[0]!]);
  },
  backward({ saved: [a, v] }, grad: Tensor) {
    return [mul(unsqueeze(grad, 1), unsqueeze(v!, 0)), mv(t(a!), grad)];
  },
});

const Dot: Op<null> = defineOp({
  name: "dot",
  gradFn: "DotBackward0",
  kernels: ["matmul"],
  forward(ctx, a: Tensor, b: Tensor) {
    ctx.save(a, b);
    const row = new Tensor(a.storage, [1, a.shape[0]!], [0, a.strides[0]!], a.offset);
    const column = new Tensor(b.storage, [b.shape[0]!, 1], [b.strides[0]!, 0], b.offset);
    return new Tensor(product(row, column).storage, []);
  },
  backward: ({ saved: [a, b] }, grad: Tensor) => [mul(grad, b!), mul(grad, a!)],
});

interface AddmmAttrs {
  beta: number;
  alpha: number;
}

const Addmm: Op<AddmmAttrs> = defineOp({
  name: "addmm",
  gradFn: "AddmmBackward0",
  kernels: ["matmul", "binary"],
  forward(ctx, bias: Tensor, a: Tensor, b: Tensor) {
    ctx.save(ctx.needs[2] ? a : null, ctx.needs[1] ? b : null);
    ctx.notes = [inColumns(a), inColumns(b)];
    const { beta, alpha } = ctx.attrs;
    const scaledProduct = alpha === 1 ? product(a, b) : mul(product(a, b), alpha);
    return beta === 0 ? scaledProduct : add(scaledProduct, bias.detach(), { alpha: beta });
  },
  backward({ attrs: { beta, alpha }, saved: [a, b], notes }, grad: Tensor) {
    const scaled = (g: Tensor | null) => (g && alpha !== 1 ? mul(g, alpha) : g);
    const [ofA, ofB] = factorGradients(grad, a ?? null, b ?? null, notes as boolean[]);
    return [beta === 1 ? grad : mul(grad, beta), scaled(ofA), scaled(ofB)];
  },
});

function cannotMultiply(a: readonly number[], b: readonly number[]): RuntimeError {
  return new RuntimeError(`mat1 and mat2 shapes cannot be multiplied (${a.join("x")} and ${b.join("x")})`, {
    shapes: [a, b],
    hint: `the last size of the first (${a[1]}) has to equal the first size of the second (${b[0]})`,
  });
}

function expectedScalarType(wanted: Tensor, found: Tensor): RuntimeError {
  return new RuntimeError(
    `expected scalar type ${SCALAR_TYPE_NAMES[wanted.dtype.name]} but found ${SCALAR_TYPE_NAMES[found.dtype.name]}`,
  );
}

/** Products have no kernel for bool, which only shows where there is something to multiply. */
export function refuseBool(kernel: string, x: Tensor, work: number): void {
  if (x.dtype === bool && work > 0) throw new NotImplementedError(`"${kernel}" not implemented for 'Bool'`);
}

/** Integers take the whole part of a factor. */
export function factorFor(x: Tensor, factor: number): number {
  return x.dtype.isFloatingPoint ? factor : Math.trunc(factor);
}

/** Matrix product of two matrices [n, k] · [k, m]. */
export const mm = checked("mm(Tensor input, Tensor mat2)", (input: Tensor, mat2: Tensor): Tensor => {
  if (input.ndim !== 2) throw new RuntimeError("self must be a matrix");
  if (mat2.ndim !== 2) throw new RuntimeError("mat2 must be a matrix");
  if (input.shape[1] !== mat2.shape[0]) throw cannotMultiply(input.shape, mat2.shape);
  assertSameDtype(input, mat2);
  refuseBool("addmm_impl_cpu_", input, input.shape[0]! * input.shape[1]! * mat2.shape[1]!);
  return call(Mm, null, input, mat2);
});

/** Matrix products of two batches [b, n, k] · [b, k, m]. */
export const bmm = checked("bmm(Tensor input, Tensor mat2)", (input: Tensor, mat2: Tensor): Tensor => {
  if (input.ndim !== 3) throw new RuntimeError("batch1 must be a 3D tensor");
  if (mat2.ndim !== 3) throw new RuntimeError("batch2 must be a 3D tensor");
  const [batch, , k] = input.shape;
  if (mat2.shape[0] !== batch || mat2.shape[1] !== k) {
    throw new RuntimeError(
      `Expected size for first two dimensions of batch2 tensor to be: ${sizeText([batch!, k!])} but got: ${sizeText(mat2.shape.slice(0, 2))}.`,
      { shapes: [input.shape, mat2.shape] },
    );
  }
  if (input.dtype !== mat2.dtype) throw expectedScalarType(input, mat2);
  refuseBool("bmm", input, input.numel() * mat2.shape[2]!);
  return call(Bmm, null, input, mat2);
});

/** Matrix [n, k] times vector [k]. */
export const mv = checked("mv(Tensor input, Tensor vec)", (input: Tensor, vec: Tensor): Tensor => {
  if (input.ndim !== 2 || vec.ndim !== 1 || input.shape[1] !== vec.shape[0]) {
    throw new RuntimeError(
      `size mismatch, got input (${input.shape[0]}), mat (${input.shape.join("x")}), vec (${vec.shape[0]})`,
      { shapes: [input.shape, vec.shape] },
    );
  }
  if (input.dtype !== vec.dtype) {
    const [matrix, vector] = [SCALAR_TYPE_NAMES[input.dtype.name], SCALAR_TYPE_NAMES[vec.dtype.name]];
    throw new RuntimeError(`addmv input tensors must have the same dtype, but got ${vector}, ${matrix}, and ${vector}`);
  }
  refuseBool("addmv_impl_cpu", input, input.numel());
  return call(Mv, null, input, vec);
});

/** Sum of products of two vectors. */
export const dot = checked("dot(Tensor input, Tensor tensor)", (input: Tensor, other: Tensor): Tensor => {
  if (input.ndim !== 1 || other.ndim !== 1) {
    throw new RuntimeError(`1D tensors expected, but got ${input.ndim}D and ${other.ndim}D tensors`);
  }
  if (input.numel() !== other.numel()) {
    throw new RuntimeError(
      `inconsistent tensor size, expected tensor ${sizeText(input.shape)} and src ${sizeText(other.shape)} to have the same number of elements, but got ${input.numel()} and ${other.numel()} elements respectively`,
      { shapes: [input.shape, other.shape] },
    );
  }
  if (input.dtype !== other.dtype) {
    const [a, b] = [SCALAR_TYPE_NAMES[input.dtype.name], SCALAR_TYPE_NAMES[other.dtype.name]];
    throw new RuntimeError(`dot : expected both vectors to have same dtype, but found ${a} and ${b}`);
  }
  refuseBool("dot", input, 1);
  return call(Dot, null, input, other);
});

/** Every product of two vectors' elements, as a matrix. */
export const outer = checked("outer(Tensor input, Tensor vec2)", (input: Tensor, vec2: Tensor): Tensor => {
  return mul(unsqueeze(input, 1), unsqueeze(vec2, 0));
});

/** beta · input + alpha · (mat1 · mat2). */
export function addmm(input: Tensor, mat1: Tensor, mat2: Tensor, options?: { beta?: number; alpha?: number }): Tensor;
export function addmm(...args: unknown[]): Tensor {
  const {
    input,
    mat1,
    mat2,
    beta = 1,
    alpha = 1,
  } = bind<{ input: Tensor; mat1: Tensor; mat2: Tensor; beta?: number; alpha?: number }>(
    "addmm",
    ["!input: Tensor", "!mat1: Tensor", "!mat2: Tensor", "*", "beta: Number", "alpha: Number"],
    args,
  );
  if (mat1.ndim !== 2) throw new RuntimeError(`mat1 must be a matrix, got ${mat1.ndim}-D tensor`);
  if (mat2.ndim !== 2) throw new RuntimeError(`mat2 must be a matrix, got ${mat2.ndim}-D tensor`);
  if (mat1.shape[1] !== mat2.shape[0]) throw cannotMultiply(mat1.shape, mat2.shape);
  checkAddends(input, mat2, "self");
  checkAddends(mat1, mat2, "mat1");
  refuseBool("addmm_impl_cpu_", mat1, mat1.numel() * mat2.shape[1]!);
  return call(Addmm, { beta: factorFor(input, beta), alpha: factorFor(input, alpha) }, input, mat1, mat2);
}

/** Product by the number of dimensions: dot, matrix · vector, matrix · matrix, and batches of them with broadcasting. */
export const matmul = checked("matmul(Tensor input, Tensor other)", (input: Tensor, other: Tensor): Tensor => {
  if (input.ndim === 0 || other.ndim === 0) {
    throw new RuntimeError(
      `both arguments to matmul need to be at least 1D, but they are ${input.ndim}D and ${other.ndim}D`,
    );
  }
  if (input.ndim === 1 && other.ndim === 1) return dot(input, other);
  if (input.ndim === 2 && other.ndim === 1) return mv(input, other);
  if (input.ndim === 1 && other.ndim === 2) return unsafeSqueeze(mm(unsqueeze(input, 0), other), 0);
  if (input.ndim === 2 && other.ndim === 2) return mm(input, other);
  return batched(input, other);
});

function batched(input: Tensor, other: Tensor): Tensor {
  // A matrix beside a batch is one tall product: no copy of the matrix per sample.
  if (input.ndim >= 3 && other.ndim <= 2) {
    const k = input.shape[input.ndim - 1]!;
    const rows = reshape(input, numel(input.shape.slice(0, -1)), k);
    if (other.ndim === 1) return unsafeView(mv(rows, other), input.shape.slice(0, -1));
    if (k !== other.shape[0]) throw cannotMultiply([rows.shape[0]!, k], other.shape);
    return unsafeView(mm(rows, other), [...input.shape.slice(0, -1), other.shape[1]!]);
  }
  if (input.ndim === 1) {
    const turned = transpose(other, -2, -1);
    const k = turned.shape[turned.ndim - 1]!;
    return unsafeView(mv(reshape(turned, numel(turned.shape.slice(0, -1)), k), input), turned.shape.slice(0, -1));
  }
  // The other way round as well, where the matrix wants a gradient: that of a batch of copies would have to be summed.
  if (input.ndim === 2 && input.requiresGrad) {
    const turned = transpose(other, -2, -1);
    const k = turned.shape.at(-1)!;
    const rows = reshape(turned, numel(turned.shape.slice(0, -1)), k);
    if (input.shape[1] !== k) throw cannotMultiply(rows.shape, [input.shape[1]!, input.shape[0]!]);
    const product = unsafeView(mm(rows, t(input)), [...turned.shape.slice(0, -1), input.shape[0]!]);
    return contiguous(transpose(product, -2, -1));
  }
  const a = input.ndim === 1 ? unsqueeze(input, 0) : input;
  const b = other.ndim === 1 ? unsqueeze(other, 1) : other;
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [n, k] = a.shape.slice(-2) as [number, number];
  const [k2, m] = b.shape.slice(-2) as [number, number];
  const left = reshape(expand(a, [...batch, n, k]), numel(batch), n, k);
  const right = reshape(expand(b, [...batch, k2, m]), numel(batch), k2, m);
  const shape = [...batch, ...(input.ndim === 1 ? [] : [n]), ...(other.ndim === 1 ? [] : [m])];
  return unsafeView(bmm(left, right), shape);
}

/** @throws RuntimeError for different dtypes, in the words of a product with something added. */
function checkAddends(x: Tensor, weight: Tensor, name: "self" | "mat1"): void {
  if (x.dtype === weight.dtype) return;
  throw new RuntimeError(
    `${name} and mat2 must have the same dtype, but got ${SCALAR_TYPE_NAMES[x.dtype.name]} and ${SCALAR_TYPE_NAMES[weight.dtype.name]}`,
    { hint: `both need one dtype: input.to(torch.${weight.dtype.name}) or weight.to(torch.${x.dtype.name})` },
  );
}

/** input · weightᵀ + bias: [..., in] with weight [out, in] and bias [out] gives [..., out]. */
export function linear(input: Tensor, weight: Tensor, bias?: Tensor | null | { bias?: Tensor | null }): Tensor;
export function linear(...args: unknown[]): Tensor {
  const {
    input,
    weight,
    bias = null,
  } = bind<{ input: Tensor; weight: Tensor; bias?: Tensor | null }>(
    "linear",
    ["!input: Tensor", "!weight: Tensor", "bias: Tensor?"],
    args,
  );
  assertTensor(input, "linear", "input", 1);
  assertTensor(weight, "linear", "weight", 2);
  if (input.ndim === 0 || weight.ndim === 0) {
    throw new RuntimeError(
      `both arguments to linear need to be at least 1D, but they are ${input.ndim}D and ${weight.ndim}D`,
    );
  }
  if (weight.ndim > 2) {
    throw new RuntimeError(`t() expects a tensor with <= 2 dimensions, but self is ${weight.ndim}D`, {
      shapes: [weight.shape],
      hint: "a weight is [out_features, in_features]",
    });
  }
  if (bias && weight.ndim === 1 && (input.ndim === 2 || bias.ndim === 1))
    throw new RuntimeError("mat2 must be a matrix, got 1-D tensor");
  const transposed = weight.ndim === 2 ? t(weight) : weight;
  if (bias) {
    checkAddends(bias, weight, "self");
    checkAddends(input, weight, "mat1");
    // A view for its complaint alone: the bias has to fit the rows of the product.
    if (input.ndim === 2 || (bias.ndim === 1 && input.isContiguous()))
      expand(bias.detach(), [numel(input.shape.slice(0, -1)), weight.shape[0]!]);
  }
  if (input.ndim === 2 && bias) {
    if (input.shape[1] !== transposed.shape[0]) throw cannotMultiply(input.shape, transposed.shape);
    return call(Addmm, { beta: 1, alpha: 1 }, bias, input, transposed);
  }
  if (bias && weight.ndim === 2 && input.ndim > 0 && input.isContiguous() && input.shape.at(-1) === weight.shape[1]) {
    const rows = linear(reshape(input, numel(input.shape.slice(0, -1)), weight.shape[1]!), weight, bias);
    return view(rows, [...input.shape.slice(0, -1), weight.shape[0]!]);
  }
  const out = matmul(input, transposed);
  return bias ? add(out, bias) : out;
}

const Trace: Op<null> = defineOp({
  name: "trace",
  gradFn: "TraceBackward0",
  kernels: ["reduce"],
  forward(ctx, x: Tensor) {
    ctx.notes = [...x.shape];
    return sum(x.detach().diagonal());
  },
  backward({ notes }, grad: Tensor) {
    const [n, m] = notes as [number, number];
    return [mul(grad, eye(n, m, { dtype: grad.dtype }))];
  },
});

/** Sum of the diagonal of a matrix. @throws RuntimeError for anything but a matrix */
export const trace = checked("trace(Tensor input)", (input: Tensor): Tensor => {
  if (input.dtype === bool) throw new NotImplementedError(`"trace" not implemented for 'Bool'`);
  if (input.ndim !== 2) throw new RuntimeError(`trace: expected a matrix, but got tensor with dim ${input.ndim}`);
  return call(Trace, null, input);
});

methods({ matmul, mm, bmm, mv, dot, outer, trace });

declare module "../core/tensor.ts" {
  interface Tensor {
    /** Matrix product, by the number of dimensions. */
    matmul: Method<typeof matmul>;
    mm: Method<typeof mm>;
    bmm: Method<typeof bmm>;
    mv: Method<typeof mv>;
    dot: Method<typeof dot>;
    outer: Method<typeof outer>;
    trace: Method<typeof trace>;
  }
}
