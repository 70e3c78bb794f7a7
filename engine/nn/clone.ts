/** A module copied with all it holds: what Python's `copy.deepcopy` makes of one. */
import { noGrad } from "../autograd/mode.ts";
import { Tensor } from "../core/tensor.ts";
import { clone } from "../ops/copy.ts";
import type { HookList } from "./hooks.ts";
import { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";
import { stateOf } from "./state.ts";

function copyOf<T extends Tensor | null>(tensor: T, made: Map<unknown, unknown>): T {
  if (!tensor) return tensor;
  const known = made.get(tensor);
  if (known) return known as T;
  const values = noGrad(() => clone(tensor));
  const { requiresGrad } = tensor;
  let copy = values;
  if (tensor instanceof Parameter) copy = new Parameter(values, { requiresGrad });
  else if (tensor instanceof Buffer) copy = new Buffer(values, { persistent: tensor.persistent });
  if (requiresGrad) copy.requiresGrad = true;
  made.set(tensor, copy);
  return copy as T;
}

function copyHooks<L extends { [K in keyof L]: HookList<unknown> }>(from: L, to: L): void {
  for (const kind in from) for (const hook of from[kind]) to[kind].add(hook);
}

/**
 * The same module over tensors of its own; no random number is drawn, the constructor doesn't run. Tensors and modules that
 * are held twice stay one.
 */
export function cloneModule<M extends Module>(module: M, made: Map<unknown, unknown> = new Map()): M {
  const known = made.get(module);
  if (known) return known as M;
  const source = stateOf(module);
  const copy = Reflect.construct(Module, [], module.constructor as new () => M) as M;
  made.set(source.self, copy);
  const state = stateOf(copy);
  const registered = new Set([...source.parameters.keys(), ...source.buffers.keys(), ...source.modules.keys()]);
  for (const name of Reflect.ownKeys(source.target)) {
    if (typeof name === "string" && registered.has(name)) continue;
    const descriptor = Reflect.getOwnPropertyDescriptor(source.target, name);
    if (!descriptor) continue;
    const { value }: { value?: unknown } = descriptor;
    if (value instanceof Tensor) descriptor.value = copyOf(value, made);
    else if (Array.isArray(value)) descriptor.value = [...value];
    Reflect.defineProperty(state.target, name, descriptor);
  }
  for (const [name, parameter] of source.parameters) copy.registerParameter(name, copyOf(parameter, made));
  for (const [name, buffer] of source.buffers) {
    copy.registerBuffer(name, copyOf(buffer, made), { persistent: !source.transient.has(name) });
  }
  for (const [name, child] of source.modules) copy.registerModule(name, child && cloneModule(child, made));
  copyHooks(source.hooks, state.hooks);
  copyHooks(source.stateHooks, state.stateHooks);
  return copy;
}
