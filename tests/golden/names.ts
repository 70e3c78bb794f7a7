/** From PyTorch's dotted names to the engine's functions, methods and classes; what the engine lacks is `Missing`. */
import { camelCase } from "../../engine/core/arguments.ts";
import { Tensor } from "../../engine/core/tensor.ts";
import * as nn from "../../engine/nn/index.ts";
import * as optim from "../../engine/optim/index.ts";
import { modules as surface } from "../../engine/public.ts";
import * as torch from "../../engine/torch.ts";
import type {
  Case,
  Description,
  Group,
  RandomCase,
  ReprModuleCase,
  ReprTensorCase,
  Stored,
  TrainingCase,
} from "./cases.ts";

type Callable = (...args: unknown[]) => unknown;
export type Constructor = new (...args: unknown[]) => nn.Module;

/** Python spells these as operators. */
const OPERATORS: Record<string, string> = { __getitem__: "get", __setitem__: "set" };

const NAMESPACES: [prefix: string, namespace: () => object][] = [
  ["torch.nn.functional.", () => surface["torch/nn/functional"]!],
  ["torch.nn.init.", () => nn.init],
  ["torch.utils.data.", () => surface["torch/utils/data"]!],
  ["torch.optim.lr_scheduler.", () => optim.lrScheduler],
  ["torch.optim.", () => optim],
  ["nn.init.", () => nn.init],
  ["nn.", () => nn],
  ["torch.Tensor.", () => Tensor.prototype],
  ["torch.autograd.", () => torch.autograd],
  ["torch.linalg.", () => torch],
  ["torch.", () => torch],
];

/** What stands under a dotted name, or undefined. */
export function lookUp(name: string): unknown {
  for (const [prefix, namespace] of NAMESPACES) {
    if (!name.startsWith(prefix)) continue;
    const own = name.slice(prefix.length);
    return Reflect.get(namespace(), OPERATORS[own] ?? camelCase(own));
  }
  return undefined;
}

/** A function of an operation; a method's tensor is its first argument. */
export function operation(name: string): Callable {
  const found = lookUp(name);
  if (typeof found !== "function") throw new Error(`the engine has no ${name}`);
  if (!name.startsWith("torch.Tensor.")) return found as Callable;
  return (self, ...args) => Reflect.apply(found, self, args);
}

export function isDescription(value: unknown): value is Description {
  return Array.isArray(value) && value.length === 3 && typeof value[0] === "string" && /^(nn\.|class:)/.test(value[0]);
}

/** The names of all modules in a description. */
function moduleNames(value: unknown): string[] {
  if (isDescription(value)) {
    const [name, args, options] = value;
    const own = name.startsWith("class:") ? [] : [name];
    return [...own, ...moduleNames(args), ...moduleNames(options)];
  }
  if (Array.isArray(value)) return value.flatMap(moduleNames);
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(moduleNames);
  return [];
}

/** The dotted names in a line of Python that are functions or classes. */
function namesInProgram(python: string): string[] {
  return python.match(/\b(?:torch|nn)(?:\.\w+)+/g) ?? [];
}

/** Everything of PyTorch's that a case needs. */
function needs(group: Group, golden: Case): string[] {
  switch (group) {
    case "repr_module":
      return moduleNames((golden as ReprModuleCase).spec);
    case "repr_tensor": {
      const { build, op } = golden as ReprTensorCase;
      return build ? build.map(([name]) => name) : op ? [op] : [];
    }
    case "rng": {
      const { kind, calls = [] } = golden as RandomCase;
      if (kind === "DataLoader") return ["torch.utils.data.DataLoader"];
      if (kind === "random_split") return ["torch.utils.data.random_split"];
      return calls.flatMap((call) => (call.module ? [call.module, ...moduleNames(call.args)] : [call.op!]));
    }
    case "training": {
      const { model, loss, optimizer, scheduler } = golden as TrainingCase;
      const named = [optimizer, ...(scheduler ? [scheduler] : [])].map(([name]) => name);
      return [...moduleNames(model), ...moduleNames(loss), ...named];
    }
    default:
      if (golden.module) return [golden.module, ...moduleNames(golden.args)];
      return golden.op ? [golden.op] : namesInProgram(golden.python!);
  }
}

/** The first thing a case needs and the engine lacks, or null. */
export function missing(group: Group, golden: Case): string | null {
  return needs(group, golden).find((name) => lookUp(name) === undefined) ?? null;
}

/** Builds a module from its description. */
export function buildModule([name, args, options]: Description, value: (stored: Stored) => unknown): nn.Module {
  const inside = (stored: Stored): unknown => {
    if (isDescription(stored)) return buildModule(stored, value);
    if (Array.isArray(stored)) return stored.map(inside);
    if (typeof stored === "object" && stored !== null && Object.values(stored).some(isDescription)) {
      return Object.fromEntries(Object.entries(stored).map(([key, item]) => [key, inside(item)]));
    }
    return value(stored);
  };
  const given = Object.fromEntries(Object.entries(options).map(([key, item]) => [key, inside(item)]));
  if (name.startsWith("class:")) return customModule(name.slice("class:".length), given);
  const Class = lookUp(name) as Constructor;
  const positional = args.map(inside);
  return new Class(...positional, ...(Object.keys(given).length > 0 ? [given] : []));
}

/** An instance of a learner's class `Name` that assigns its parts in order. */
function customModule(name: string, parts: Record<string, unknown>): nn.Module {
  const classes = {
    [name]: class extends nn.Module {
      constructor() {
        super();
        Object.assign(this, parts);
      }
    },
  };
  return new classes[name]!();
}
