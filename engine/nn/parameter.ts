/** Tensors that a module keeps: what is learned (Parameter) and what is only remembered (Buffer). */
import { TYPE_NAMES } from "../autograd/node.ts";
import { bind } from "../core/arguments.ts";
import { DTYPES } from "../core/dtype.ts";
import { AttributeError, RuntimeError } from "../core/errors.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";

export interface ParameterOptions {
  /** Whether the parameter is learned. Default true. */
  requiresGrad?: boolean;
}

/**
 * A tensor that is a module's parameter once it is assigned to the module: `this.scale = new nn.Parameter(torch.ones(3))`.
 * It shares the data's storage and stands outside the graph that made it.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.parameter.Parameter.html
 */
export class Parameter extends Tensor {
  /** Only a Parameter is one: an ordinary tensor does not fit where a module keeps what it learns. */
  declare private readonly isParameter: true;

  constructor(data?: Tensor, options?: ParameterOptions);
  constructor(...args: unknown[]) {
    const given = bind<{ data?: Tensor | null } & ParameterOptions>(
      "Parameter.__new__",
      ["data", "requiresGrad"],
      args,
    );
    const { requiresGrad = true } = given;
    const data = dataOf(given.data);
    super(data.storage, data.shape, data.strides, data.offset);
    if (requiresGrad && !data.dtype.isFloatingPoint) {
      throw new RuntimeError("Only Tensors of floating point and complex dtype can require gradients");
    }
    this.requiresGrad = requiresGrad;
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}

export interface BufferOptions {
  /** Whether stateDict holds it. Default true. */
  persistent?: boolean;
}

/** A tensor that becomes a module's buffer by assignment: part of its state, but not learned. */
export class Buffer extends Tensor {
  readonly persistent: boolean;

  constructor(data?: Tensor, options?: BufferOptions);
  constructor(...args: unknown[]) {
    const given = bind<{ data?: Tensor | null } & BufferOptions>("Buffer.__new__", ["data", "*", "persistent"], args);
    const { persistent = true } = given;
    const data = dataOf(given.data);
    super(data.storage, data.shape, data.strides, data.offset);
    this.persistent = persistent;
  }
}

/** Nothing is an empty tensor. @throws AttributeError in Python's words for anything else but a tensor */
function dataOf(data: unknown): Tensor {
  if (data instanceof Tensor) return data;
  if (data === undefined || data === null) return Tensor.empty([0], DTYPES.float32);
  throw new AttributeError(`'${pythonTypeName(data)}' object has no attribute 'detach'`, {
    hint: "make a tensor of it first: new nn.Parameter(torch.tensor(…))",
  });
}

/** `torch.typename`: how messages name the type of a value. */
export function typeName(value: unknown): string {
  if (value instanceof Tensor) return `torch.${TYPE_NAMES[value.dtype.name]}`;
  // Modules are functions of their class's prototype; classes and plain functions have names of their own.
  if (typeof value === "function")
    return value.constructor === Function ? value.name || "function" : value.constructor.name;
  return pythonTypeName(value);
}
