/** Which dtypes and ranks a convolution's arguments may have, and what PyTorch says where they have others. */
import { TYPE_NAMES } from "../autograd/node.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { CPP_NAMES, SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { sizeText } from "../core/shape.ts";
import type { Tensor } from "../core/tensor.ts";
import type { ConvGeometry } from "../core/window.ts";

interface ConvTensors {
  input: Tensor;
  weight: Tensor;
  bias: Tensor | null;
}

/** The legacy name of a tensor's type, as these messages write it. */
function tensorType({ dtype }: Tensor): string {
  return dtype.name === "bool" ? "CPUBoolType" : `torch.${TYPE_NAMES[dtype.name]}`;
}

function typeHint(input: Tensor, other: Tensor): string {
  return `both need one dtype: input.to(torch.${other.dtype.name}) or weight.to(torch.${input.dtype.name})`;
}

/** @throws RuntimeError for a kernel of another rank than the convolution's. */
export function checkKernelRank(axes: 1 | 2, input: Tensor, weight: Tensor, stride: readonly number[]): void {
  if (weight.ndim < 3) {
    throw new RuntimeError("weight should have at least three dimensions", {
      shapes: [weight.shape],
      hint: `a kernel is [out_channels, in_channels / groups, ${axes === 2 ? "height, width" : "length"}]`,
    });
  }
  const found = weight.ndim - 2;
  if (found === axes) return;
  const batched = input.ndim === axes + 2 ? input.shape : [1, ...input.shape];
  throw new RuntimeError(
    axes === 2
      ? `expected stride to be a single integer value or a list of ${found} values to match the convolution dimensions, but got stride=${sizeText(stride)}`
      : `Expected ${weight.ndim}-dimensional input for ${weight.ndim}-dimensional weight ${sizeText(weight.shape)}, but got ${batched.length}-dimensional input of size ${sizeText(batched)} instead`,
    { shapes: [input.shape, weight.shape] },
  );
}

/** @throws RuntimeError for a kernel without cells. */
export function checkKernelSize([height, width]: readonly [number, number]): void {
  if (height > 0 && width > 0) return;
  throw new RuntimeError(
    `kernel size should be greater than zero, but got kernel_height: ${height} kernel_width: ${width}`,
  );
}

/** @throws RuntimeError for a dilation below 1; `text` is how the message writes zeros. */
export function checkDilation(dilation: readonly number[], text: string): void {
  if (dilation.every((d) => d > 0)) return;
  const got = dilation.some((d) => d < 0) ? "" : `, but got ${text}`;
  throw new RuntimeError(`dilation should be greater than zero${got}`);
}

/** @throws RuntimeError when the kernels cannot be split into this many groups. */
export function checkGroups(weight: Tensor, groups: number): void {
  if (groups <= 0) throw new RuntimeError("non-positive groups is not supported");
  const first = weight.shape[0]!;
  if (first < groups) {
    throw new RuntimeError(
      `Given groups=${groups}, expected weight to be at least ${groups} at dimension 0, but got weight of size ${sizeText(weight.shape)} instead`,
    );
  }
  if (first % groups !== 0) {
    throw new RuntimeError(
      `Given groups=${groups}, expected weight to be divisible by ${groups} at dimension 0, but got weight of size [${sizeText(weight.shape)}] instead`,
    );
  }
}

/** @throws RuntimeError for a bias of another dtype; PyTorch looks at it before it looks at any shape. */
export function checkBiasDtype(input: Tensor, bias: Tensor | null): void {
  if (!bias || bias.dtype === input.dtype) return;
  throw new RuntimeError(
    `Input type (${CPP_NAMES[input.dtype.name]}) and bias type (${CPP_NAMES[bias.dtype.name]}) should be the same`,
  );
}

/** @throws RuntimeError for an axis of no length; an empty batch is fine. */
export function checkNotEmpty(input: Tensor, axes: 1 | 2): void {
  const batched = input.ndim === axes + 2 ? input.shape : [1, ...input.shape];
  if (batched[0] === 0 || batched[1] === 0 || !batched.includes(0)) return;
  throw new RuntimeError(
    `Only zero batch or zero channel inputs are supported, but got input shape: ${sizeText(batched)}`,
    { shapes: [input.shape] },
  );
}

/**
 * Whether PyTorch on one thread hands this convolution to oneDNN, which words its complaints differently. For a transposed
 * convolution the input is what its geometry calls the output.
 */
function usesOneDnn(input: Tensor, g: ConvGeometry, transposed: boolean): boolean {
  if (input.dtype.name !== "float32") return false;
  const { n, kernelH, kernelW } = g;
  const cells = transposed ? n * g.o * g.outH * g.outW : n * g.c * g.h * g.w;
  const worthwhile =
    g.strideH !== 1 ||
    g.strideW !== 1 ||
    g.dilationH !== 1 ||
    g.dilationW !== 1 ||
    n >= 16 ||
    kernelH !== 1 ||
    kernelW !== 1;
  return worthwhile && (g.groups > 1 || (kernelH > 3 && kernelW > 3) || n > 1 || cells > 20480);
}

/** @throws RuntimeError for tensors of different dtypes, NotImplementedError for one that has no kernel. */
export function checkConvDtypes({ input, weight, bias }: ConvTensors, g: ConvGeometry, transposed: boolean): void {
  if (input.numel() === 0) return;
  if (usesOneDnn(input, g, transposed)) {
    for (const [what, other] of [
      ["weight", weight],
      ["bias", bias],
    ] as const) {
      if (!other || other.dtype === input.dtype) continue;
      throw new RuntimeError(
        `Input type (${tensorType(input)}) and ${what} type (${tensorType(other)}) should be the same or input should be a MKLDNN tensor and ${what} is a dense tensor`,
        { hint: typeHint(input, other) },
      );
    }
  }
  const name = SCALAR_TYPE_NAMES[input.dtype.name];
  const dilated = g.dilationH !== 1 || g.dilationW !== 1;
  const kernel = transposed ? "slow_conv_transpose2d_out_cpu" : dilated ? "slow_conv_dilated<>" : "slow_conv2d_cpu";
  if (
    input.dtype.name === "bool" ||
    (input.dtype.name === "uint8" && (transposed || dilated)) ||
    (input.dtype.name === "int32" && dilated)
  ) {
    throw new NotImplementedError(`"${kernel}" not implemented for '${name}'`);
  }
  if (weight.dtype !== input.dtype) {
    throw new RuntimeError(`expected scalar type ${name} but found ${SCALAR_TYPE_NAMES[weight.dtype.name]}`, {
      hint: typeHint(input, weight),
    });
  }
  if (bias?.dtype.isFloatingPoint && !input.dtype.isFloatingPoint) {
    throw new RuntimeError(
      `result type ${SCALAR_TYPE_NAMES[bias.dtype.name]} can't be cast to the desired output type ${name}`,
    );
  }
}
