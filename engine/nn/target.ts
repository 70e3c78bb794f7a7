/** What a module's `to` is asked for. */
import { isOptions, snakeCase } from "../core/arguments.ts";
import type { Device } from "../core/device.ts";
import { DType } from "../core/dtype.ts";
import { TypeError } from "../core/errors.ts";
import { Tensor } from "../core/tensor.ts";
import { typeName } from "./parameter.ts";

/** What a module accepts as the target of `to`. */
export interface ToOptions {
  /** Of floating parameters and buffers. Default: as they are. */
  dtype?: DType | null;
  /** "cpu" or "webgpu". Default: where they are. */
  device?: Device | string | null;
  /** Accepted, without effect. Default false. */
  nonBlocking?: boolean;
}

const TO_FORMS = [
  "(torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, bool copy = False, *, torch.memory_format memory_format = None)",
  "(torch.dtype dtype, bool non_blocking = False, bool copy = False, *, torch.memory_format memory_format = None)",
  "(Tensor tensor, bool non_blocking = False, bool copy = False, *, torch.memory_format memory_format = None)",
];

/** What the arguments of `to` ask for. @throws TypeError for options that it has not */
export function targetOf(args: readonly unknown[]): Pick<ToOptions, "dtype" | "device"> {
  const found: Pick<ToOptions, "dtype" | "device"> = {};
  for (const arg of args) {
    if (arg instanceof DType) found.dtype = arg;
    else if (arg instanceof Tensor) Object.assign(found, { dtype: arg.dtype, device: arg.device });
    else if (isOptions(arg)) Object.assign(found, checkedTarget(arg, args));
    else if (arg !== null && typeof arg !== "boolean") found.device = arg as Device | string;
  }
  return found;
}

function checkedTarget(options: ToOptions, args: readonly unknown[]): ToOptions {
  const known = ["device", "dtype", "nonBlocking", "copy"];
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  const { dtype } = options;
  if (unknown === undefined && (dtype === undefined || dtype === null || dtype instanceof DType)) return options;
  const named = Object.entries(options).map(([name, value]) => `${snakeCase(name)}=${kindOf(value)}`);
  const given = [...args.filter((arg) => arg !== options).map(kindOf), ...named].join(", ");
  throw new TypeError(
    `to() received an invalid combination of arguments - got (${given}${args.length === 1 && named.length === 1 ? ", " : ""}), but expected one of:\n${TO_FORMS.map((form) => ` * ${form}`).join("\n")}`,
    { hint: unknown === undefined ? "a dtype is not a text: torch.float64" : `it takes ${known.join(", ")}` },
  );
}

function kindOf(value: unknown): string {
  return value instanceof DType ? "torch.dtype" : value instanceof Tensor ? "Tensor" : typeName(value);
}
