/** Padding layers. https://docs.pytorch.org/docs/2.13/nn.html#padding-layers */
import { bind } from "../core/arguments.ts";
import { ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import * as F from "./functional.ts";
import { Module } from "./module.ts";
import { assertTensor, perAxis } from "./operands.ts";
import { fields, py } from "./text.ts";

/** Cells at every end, or [left, right]. */
export type Padding1d = number | readonly [number, number];
/** Cells at every end, or [left, right, top, bottom]. */
export type Padding2d = number | readonly [number, number, number, number];
/** Cells at every end, or [left, right, top, bottom, front, back]. */
export type Padding3d = number | readonly [number, number, number, number, number, number];

/** Padding whose new cells are read from the input. */
abstract class PadNd extends Module {
  readonly padding: readonly number[];
  readonly #mode: F.PadMode;

  constructor(name: string, axes: number, mode: F.PadMode, args: unknown[]) {
    super();
    const { padding } = bind<{ padding: number | readonly number[] }>(`${name}.__init__`, ["!padding"], args);
    this.padding = perAxis(2 * axes, padding);
    this.#mode = mode;
  }

  override forward(input: Tensor): Tensor {
    return F.pad(input, this.padding, { mode: this.#mode });
  }

  override extraRepr(): string {
    return py(this.padding);
  }
}

/**
 * Padding with the input mirrored at its ends: `a b c d` becomes `c b a b c d c b`. Shapes: [N, C, L] or [C, L].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ReflectionPad1d.html
 */
export class ReflectionPad1d extends PadNd {
  constructor(padding: Padding1d | { padding: Padding1d });
  constructor(...args: unknown[]) {
    super("ReflectionPad1d", 1, "reflect", args);
  }
}

/**
 * Padding with the input mirrored at its edges. Shapes: [N, C, H, W] or [C, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ReflectionPad2d.html
 */
export class ReflectionPad2d extends PadNd {
  constructor(padding: Padding2d | { padding: Padding2d });
  constructor(...args: unknown[]) {
    super("ReflectionPad2d", 2, "reflect", args);
  }
}

/**
 * Padding with the input mirrored at its faces. Shapes: [N, C, D, H, W] or [C, D, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ReflectionPad3d.html
 */
export class ReflectionPad3d extends PadNd {
  constructor(padding: Padding3d | { padding: Padding3d });
  constructor(...args: unknown[]) {
    super("ReflectionPad3d", 3, "reflect", args);
  }
}

/**
 * Padding with the outermost cells repeated: `a b c` becomes `a a a b c c c`. Shapes: [N, C, L] or [C, L].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ReplicationPad1d.html
 */
export class ReplicationPad1d extends PadNd {
  constructor(padding: Padding1d | { padding: Padding1d });
  constructor(...args: unknown[]) {
    super("ReplicationPad1d", 1, "replicate", args);
  }
}

/**
 * Padding with the outermost cells repeated. Shapes: [N, C, H, W] or [C, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ReplicationPad2d.html
 */
export class ReplicationPad2d extends PadNd {
  constructor(padding: Padding2d | { padding: Padding2d });
  constructor(...args: unknown[]) {
    super("ReplicationPad2d", 2, "replicate", args);
  }
}

/**
 * Padding with the outermost cells repeated. Shapes: [N, C, D, H, W] or [C, D, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ReplicationPad3d.html
 */
export class ReplicationPad3d extends PadNd {
  constructor(padding: Padding3d | { padding: Padding3d });
  constructor(...args: unknown[]) {
    super("ReplicationPad3d", 3, "replicate", args);
  }
}

/** Padding with the cells of the other end. */
abstract class CircularPadNd extends PadNd {
  readonly #axes: number;

  constructor(name: string, axes: number, args: unknown[]) {
    super(name, axes, "circular", args);
    this.#axes = axes;
  }

  override forward(input: Tensor): Tensor {
    assertTensor(input, "dim");
    const low = this.#axes + 1;
    if (input.ndim !== low && input.ndim !== low + 1) {
      throw new ValueError(`expected ${low}D or ${low + 1}D input (got ${input.ndim}D input)`);
    }
    return super.forward(input);
  }
}

/**
 * Padding with the cells of the other end, as on a ring. Shapes: [N, C, L] or [C, L].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.CircularPad1d.html
 */
export class CircularPad1d extends CircularPadNd {
  constructor(padding: Padding1d | { padding: Padding1d });
  constructor(...args: unknown[]) {
    super("CircularPad1d", 1, args);
  }
}

/**
 * Padding with the cells of the other end. Shapes: [N, C, H, W] or [C, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.CircularPad2d.html
 */
export class CircularPad2d extends CircularPadNd {
  constructor(padding: Padding2d | { padding: Padding2d });
  constructor(...args: unknown[]) {
    super("CircularPad2d", 2, args);
  }
}

/**
 * Padding with the cells of the other end. Shapes: [N, C, D, H, W] or [C, D, H, W].
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.CircularPad3d.html
 */
export class CircularPad3d extends CircularPadNd {
  constructor(padding: Padding3d | { padding: Padding3d });
  constructor(...args: unknown[]) {
    super("CircularPad3d", 3, args);
  }
}

/** Padding with one value. */
abstract class ConstantPadNd extends Module {
  readonly padding: readonly number[];
  readonly value: number;

  constructor(axes: number, padding: number | readonly number[], value: number) {
    super();
    this.padding = perAxis(2 * axes, padding);
    this.value = value;
  }

  override forward(input: Tensor): Tensor {
    return F.pad(input, this.padding, { mode: "constant", value: this.value });
  }

  override extraRepr(): string {
    return fields({ padding: this.padding, value: this.value });
  }
}

interface ConstantArguments {
  padding: number | readonly number[];
  value: number;
}

function constantArguments(name: string, args: unknown[]): ConstantArguments {
  return bind<ConstantArguments>(`${name}.__init__`, ["!padding", "!value"], args);
}

/**
 * Padding with one value along the last axis. Negative numbers cut cells off.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ConstantPad1d.html
 */
export class ConstantPad1d extends ConstantPadNd {
  constructor(padding: Padding1d, value: number | { value: number });
  constructor(options: { padding: Padding1d; value: number });
  constructor(...args: unknown[]) {
    const { padding, value } = constantArguments("ConstantPad1d", args);
    super(1, padding, value);
  }
}

/**
 * Padding with one value along the last two axes. Negative numbers cut cells off.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ConstantPad2d.html
 */
export class ConstantPad2d extends ConstantPadNd {
  constructor(padding: Padding2d, value: number | { value: number });
  constructor(options: { padding: Padding2d; value: number });
  constructor(...args: unknown[]) {
    const { padding, value } = constantArguments("ConstantPad2d", args);
    super(2, padding, value);
  }
}

/**
 * Padding with one value along the last three axes. Negative numbers cut cells off.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ConstantPad3d.html
 */
export class ConstantPad3d extends ConstantPadNd {
  constructor(padding: Padding3d, value: number | { value: number });
  constructor(options: { padding: Padding3d; value: number });
  constructor(...args: unknown[]) {
    const { padding, value } = constantArguments("ConstantPad3d", args);
    super(3, padding, value);
  }
}

/** Padding with zeros. */
abstract class ZeroPadNd extends ConstantPadNd {
  constructor(name: string, axes: number, args: unknown[]) {
    super(axes, bind<{ padding: number | readonly number[] }>(`${name}.__init__`, ["!padding"], args).padding, 0);
  }

  override extraRepr(): string {
    return py(this.padding);
  }
}

/**
 * Padding with zeros along the last axis. Negative numbers cut cells off.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ZeroPad1d.html
 */
export class ZeroPad1d extends ZeroPadNd {
  constructor(padding: Padding1d | { padding: Padding1d });
  constructor(...args: unknown[]) {
    super("ZeroPad1d", 1, args);
  }
}

/**
 * Padding with zeros along the last two axes. Negative numbers cut cells off.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ZeroPad2d.html
 */
export class ZeroPad2d extends ZeroPadNd {
  constructor(padding: Padding2d | { padding: Padding2d });
  constructor(...args: unknown[]) {
    super("ZeroPad2d", 2, args);
  }
}

/**
 * Padding with zeros along the last three axes. Negative numbers cut cells off.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.ZeroPad3d.html
 */
export class ZeroPad3d extends ZeroPadNd {
  constructor(padding: Padding3d | { padding: Padding3d });
  constructor(...args: unknown[]) {
    super("ZeroPad3d", 3, args);
  }
}
