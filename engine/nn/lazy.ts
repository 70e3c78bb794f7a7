/**
 * Layers that take the sizes they are not told from their first input, and become the ordinary ones then.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.modules.lazy.LazyModuleMixin.html
 */
import { noGrad } from "../autograd/mode.ts";
import { bind } from "../core/arguments.ts";
import { int64 } from "../core/dtype.ts";
import { AssertionError, RuntimeError, ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { tensor } from "../ops/creation.ts";
import { Conv1d, type Conv1dOptions, Conv2d, type Conv2dOptions } from "./conv.ts";
import {
  ConvTranspose1d,
  type ConvTranspose1dOptions,
  ConvTranspose2d,
  type ConvTranspose2dOptions,
} from "./conv_transpose.ts";
import { Linear, type LinearOptions } from "./linear.ts";
import type { Module } from "./module.ts";
import { BatchNorm1d, BatchNorm2d, InstanceNorm1d, InstanceNorm2d, type NormOptions } from "./normalization.ts";
import { stateOf } from "./state.ts";
import { isLazy, UninitializedBuffer, UninitializedParameter } from "./uninitialized.ts";

function lazyTensors(module: Module): [name: string, tensor: UninitializedParameter | UninitializedBuffer][] {
  const { parameters, buffers } = stateOf(module);
  return [...parameters, ...buffers].flatMap(([name, value]) => (isLazy(value) ? [[name, value]] : []));
}

function isUninitialized(module: Module): boolean {
  return lazyTensors(module).length > 0;
}

/**
 * Makes a module lazy until its first call: `initialize` sees the input, and the module is then an instance of `become`.
 * A state that is loaded before tells the shapes too.
 */
function untilFirstCall(module: Module, become: { prototype: Module }, initialize: (input: Tensor) => void): void {
  const loading = module.registerLoadStateDictPreHook((_, state, prefix) => {
    for (const [name, value] of lazyTensors(module)) {
      const given = state.get(prefix + name);
      if (given && !isLazy(given)) value.materialize(given.shape);
    }
  });
  const calling = module.registerForwardPreHook((_, [input]) => {
    if (input) noGrad(() => initialize(input));
    if (isUninitialized(module)) {
      throw new RuntimeError(`module ${module.constructor.name} has not been fully initialized`);
    }
    calling.remove();
    loading.remove();
    Object.setPrototypeOf(stateOf(module).target, become.prototype);
  });
}

/** Sets what the class keeps as read-only, before anyone else sees the module. */
function setFields(module: Module, fields: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(fields)) Reflect.set(module, name, value);
}

/**
 * A Linear that takes inFeatures from its first input.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LazyLinear.html
 */
export class LazyLinear extends Linear {
  constructor(outFeatures: number, options?: LinearOptions);
  constructor(options: { outFeatures: number } & LinearOptions);
  constructor(...args: unknown[]) {
    const {
      outFeatures,
      bias = true,
      ...factory
    } = bind<{ outFeatures: number } & LinearOptions>(
      "LazyLinear.__init__",
      ["!outFeatures", "bias", "device", "dtype"],
      args,
    );
    super(0, 0, { bias: false });
    this.weight = new UninitializedParameter(factory);
    setFields(this, { outFeatures });
    if (bias) this.bias = new UninitializedParameter(factory);
    untilFirstCall(this, Linear, (input) => {
      const inFeatures = input.shape.at(-1)!;
      if (isUninitialized(this)) {
        setFields(this, { inFeatures });
        shape(this.weight, [outFeatures, inFeatures]);
        shape(this.bias, [outFeatures]);
        this.resetParameters();
      }
      if (this.inFeatures !== 0) return;
      if (inFeatures !== this.weight.shape.at(-1)) {
        throw new AssertionError(
          `The in_features inferred from input: ${inFeatures} is not equal to in_features from self.weight: ${this.weight.shape.at(-1)}`,
        );
      }
      setFields(this, { inFeatures });
    });
  }

  override resetParameters(): void {
    if (!isUninitialized(this) && this.inFeatures !== 0) super.resetParameters();
  }
}

function shape(value: Tensor | null, sizes: readonly number[]): void {
  if (isLazy(value)) value.materialize(sizes);
}

type AnyConv = Conv1d | Conv2d | ConvTranspose1d | ConvTranspose2d;

interface LazyConvOptions extends LinearOptions {
  outChannels: number;
}

/** What the lazy convolutions do once they are made with no channels and no bias. */
function lazyConv(conv: AnyConv, become: { prototype: Module }, transposed: boolean, options: LazyConvOptions): void {
  const { outChannels, bias = true, device, dtype } = options;
  const axes = conv.kernelSize.length;
  conv.weight = new UninitializedParameter({ device, dtype });
  setFields(conv, { outChannels });
  if (bias) conv.bias = new UninitializedParameter({ device, dtype });
  untilFirstCall(conv, become, (input) => {
    if (!isUninitialized(conv)) return;
    if (input.ndim !== axes + 1 && input.ndim !== axes + 2) {
      throw new RuntimeError(
        `Expected ${axes + 1}D (unbatched) or ${axes + 2}D (batched) input to ${conv.constructor.name}, but got input of size: ${input.shape}`,
        { shapes: [input.shape] },
      );
    }
    const inChannels = input.shape.at(-axes - 1)!;
    const { groups, kernelSize } = conv;
    setFields(conv, { inChannels });
    if (inChannels % groups !== 0) throw new ValueError("in_channels must be divisible by groups");
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    shape(conv.weight, [...channels, ...kernelSize]);
    shape(conv.bias, [outChannels]);
    conv.resetParameters();
  });
}

function isReady(conv: AnyConv): boolean {
  return !isUninitialized(conv) && conv.inChannels !== 0;
}

type Size1 = number | readonly [number];
type Size2 = number | readonly [number, number];

interface ConvArguments<Size> {
  outChannels: number;
  kernelSize: Size;
}

const CONV = [
  "!outChannels",
  "!kernelSize",
  "stride",
  "padding",
  "dilation",
  "groups",
  "bias",
  "paddingMode",
  "device",
  "dtype",
];
const CONV_TRANSPOSE = [
  "!outChannels",
  "!kernelSize",
  "stride",
  "padding",
  "outputPadding",
  "groups",
  "bias",
  "dilation",
  "paddingMode",
  "device",
  "dtype",
];

/** The arguments of a convolution that has no channels yet. */
const without = <O extends { outChannels: number }>(given: O) => ({
  ...given,
  inChannels: 0,
  outChannels: 0,
  bias: false,
});

/**
 * A Conv1d that takes inChannels from its first input.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LazyConv1d.html
 */
export class LazyConv1d extends Conv1d {
  constructor(outChannels: number, kernelSize: Size1, options?: Conv1dOptions);
  constructor(options: ConvArguments<Size1> & Conv1dOptions);
  constructor(...args: unknown[]) {
    const given = bind<ConvArguments<Size1> & Conv1dOptions>("LazyConv1d.__init__", CONV, args);
    super(without(given));
    lazyConv(this, Conv1d, false, given);
  }

  override resetParameters(): void {
    if (isReady(this)) super.resetParameters();
  }
}

/**
 * A Conv2d that takes inChannels from its first input.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LazyConv2d.html
 */
export class LazyConv2d extends Conv2d {
  constructor(outChannels: number, kernelSize: Size2, options?: Conv2dOptions);
  constructor(options: ConvArguments<Size2> & Conv2dOptions);
  constructor(...args: unknown[]) {
    const given = bind<ConvArguments<Size2> & Conv2dOptions>("LazyConv2d.__init__", CONV, args);
    super(without(given));
    lazyConv(this, Conv2d, false, given);
  }

  override resetParameters(): void {
    if (isReady(this)) super.resetParameters();
  }
}

/**
 * A ConvTranspose1d that takes inChannels from its first input.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LazyConvTranspose1d.html
 */
export class LazyConvTranspose1d extends ConvTranspose1d {
  constructor(outChannels: number, kernelSize: Size1, options?: ConvTranspose1dOptions);
  constructor(options: ConvArguments<Size1> & ConvTranspose1dOptions);
  constructor(...args: unknown[]) {
    const given = bind<ConvArguments<Size1> & ConvTranspose1dOptions>(
      "LazyConvTranspose1d.__init__",
      CONV_TRANSPOSE,
      args,
    );
    super(without(given));
    lazyConv(this, ConvTranspose1d, true, given);
  }

  override resetParameters(): void {
    if (isReady(this)) super.resetParameters();
  }
}

/**
 * A ConvTranspose2d that takes inChannels from its first input.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LazyConvTranspose2d.html
 */
export class LazyConvTranspose2d extends ConvTranspose2d {
  constructor(outChannels: number, kernelSize: Size2, options?: ConvTranspose2dOptions);
  constructor(options: ConvArguments<Size2> & ConvTranspose2dOptions);
  constructor(...args: unknown[]) {
    const given = bind<ConvArguments<Size2> & ConvTranspose2dOptions>(
      "LazyConvTranspose2d.__init__",
      CONV_TRANSPOSE,
      args,
    );
    super(without(given));
    lazyConv(this, ConvTranspose2d, true, given);
  }

  override resetParameters(): void {
    if (isReady(this)) super.resetParameters();
  }
}

type AnyNorm = BatchNorm1d | BatchNorm2d | InstanceNorm1d | InstanceNorm2d;

const NORM = ["eps", "momentum", "affine", "trackRunningStats", "device", "dtype", "*", "bias"];

/** The arguments of a normalisation that has no features yet. */
const plain = ({ eps, momentum }: NormOptions) => ({
  numFeatures: 0,
  eps,
  momentum,
  affine: false,
  trackRunningStats: false,
  bias: false,
});

/** What the lazy normalisations do once they are made without features. */
function lazyNorm(norm: AnyNorm, become: { prototype: Module }, options: NormOptions): void {
  const { affine = true, trackRunningStats = true, bias = true, device, dtype } = options;
  const kind = { device, dtype };
  setFields(norm, { affine, trackRunningStats });
  if (affine) norm.weight = new UninitializedParameter(kind);
  if (affine && bias) norm.bias = new UninitializedParameter(kind);
  if (trackRunningStats) {
    norm.registerBuffer("running_mean", new UninitializedBuffer(kind));
    norm.registerBuffer("running_var", new UninitializedBuffer(kind));
    norm.registerBuffer("num_batches_tracked", tensor(0, { dtype: int64 }));
  }
  untilFirstCall(norm, become, (input) => {
    if (!isUninitialized(norm)) return;
    const numFeatures = input.shape[1]!;
    setFields(norm, { numFeatures });
    for (const [, value] of lazyTensors(norm)) value.materialize([numFeatures]);
    norm.resetParameters();
  });
}

function isSized(norm: AnyNorm): boolean {
  return !isUninitialized(norm) && norm.numFeatures !== 0;
}

/**
 * A BatchNorm1d that takes numFeatures from its first input.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LazyBatchNorm1d.html
 */
export class LazyBatchNorm1d extends BatchNorm1d {
  constructor(options?: NormOptions);
  constructor(...args: unknown[]) {
    const given = bind<NormOptions>("LazyBatchNorm1d.__init__", NORM, args);
    super(plain(given));
    lazyNorm(this, BatchNorm1d, given);
  }

  override resetParameters(): void {
    if (isSized(this)) super.resetParameters();
  }
}

/**
 * A BatchNorm2d that takes numFeatures from its first input.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LazyBatchNorm2d.html
 */
export class LazyBatchNorm2d extends BatchNorm2d {
  constructor(options?: NormOptions);
  constructor(...args: unknown[]) {
    const given = bind<NormOptions>("LazyBatchNorm2d.__init__", NORM, args);
    super(plain(given));
    lazyNorm(this, BatchNorm2d, given);
  }

  override resetParameters(): void {
    if (isSized(this)) super.resetParameters();
  }
}

/**
 * An InstanceNorm1d that takes numFeatures from its first input; affine and with running statistics by default.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LazyInstanceNorm1d.html
 */
export class LazyInstanceNorm1d extends InstanceNorm1d {
  constructor(options?: NormOptions);
  constructor(...args: unknown[]) {
    const given = bind<NormOptions>("LazyInstanceNorm1d.__init__", NORM, args);
    super(plain(given));
    lazyNorm(this, InstanceNorm1d, given);
  }

  override resetParameters(): void {
    if (isSized(this)) super.resetParameters();
  }
}

/**
 * An InstanceNorm2d that takes numFeatures from its first input; affine and with running statistics by default.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.LazyInstanceNorm2d.html
 */
export class LazyInstanceNorm2d extends InstanceNorm2d {
  constructor(options?: NormOptions);
  constructor(...args: unknown[]) {
    const given = bind<NormOptions>("LazyInstanceNorm2d.__init__", NORM, args);
    super(plain(given));
    lazyNorm(this, InstanceNorm2d, given);
  }

  override resetParameters(): void {
    if (isSized(this)) super.resetParameters();
  }
}
