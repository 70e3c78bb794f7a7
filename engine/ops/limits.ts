/** What the dtypes can hold. https://docs.pytorch.org/docs/2.13/type_info.html */
import { bool, DType } from "../core/dtype.ts";
import { TypeError } from "../core/errors.ts";
import { getDefaultDtype } from "../core/promotion.ts";
import { pythonTypeName } from "../core/tensor.ts";

function checkDtype(name: string, type: unknown): void {
  if (type instanceof DType) return;
  throw new TypeError(`${name}(): argument 'type' (position 1) must be torch.dtype, not ${pythonTypeName(type)}`);
}

/** The limits of a floating dtype. */
export interface FInfo {
  /** Bits that a number takes. */
  readonly bits: number;
  /** The least number: -max. */
  readonly min: number;
  /** The largest number. */
  readonly max: number;
  /** From 1 to the next larger number. */
  readonly eps: number;
  /** The smallest positive number that has all its digits. */
  readonly smallestNormal: number;
  /** The same by its older name. */
  readonly tiny: number;
  /** About how finely the decimal digits tell numbers apart. */
  readonly resolution: number;
  /** The dtype's name. */
  readonly dtype: string;
}

const FLOATS = {
  float32: { bits: 32, max: (2 - 2 ** -23) * 2 ** 127, eps: 2 ** -23, smallestNormal: 2 ** -126, resolution: 1e-6 },
  float64: {
    bits: 64,
    max: Number.MAX_VALUE,
    eps: Number.EPSILON,
    smallestNormal: 2 ** -1022,
    resolution: 1e-15,
  },
} as const;

/** A number in six digits, as C++ writes it by default. @internal */
export function sixDigits(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "-nan" : value > 0 ? "inf" : "-inf";
  const [digits, exponent] = value.toExponential(5).split("e") as [string, string];
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(Number(value.toPrecision(6)));
  return `${Number(digits)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** The limits of a floating dtype, by default of the default dtype. @throws TypeError for integers */
export function finfo(type: DType = getDefaultDtype()): FInfo {
  checkDtype("finfo", type);
  const limits = FLOATS[type.name as keyof typeof FLOATS];
  if (!limits) {
    throw new TypeError("torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'");
  }
  const info = { ...limits, min: -limits.max, tiny: limits.smallestNormal, dtype: type.name };
  const [min, max, eps, tiny] = [info.min, info.max, info.eps, info.tiny].map(sixDigits);
  const text = `finfo(resolution=${sixDigits(info.resolution)}, min=${min}, max=${max}, eps=${eps}, smallest_normal=${tiny}, tiny=${tiny}, dtype=${info.dtype})`;
  return Object.defineProperty(info, "toString", { value: () => text });
}

/** The limits of an integer dtype. */
export interface IInfo {
  /** Bits that a number takes. */
  readonly bits: number;
  /** The least number. */
  readonly min: number;
  /** The largest number; of int64 the nearest that JavaScript has. */
  readonly max: number;
  /** The dtype's name. */
  readonly dtype: string;
}

/** The limits of an integer dtype. @throws TypeError for floats and bool */
export function iinfo(type: DType): IInfo {
  if (type === undefined) throw new TypeError('iinfo() missing 1 required positional arguments: "type"');
  checkDtype("iinfo", type);
  if (type.isFloatingPoint) {
    throw new TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'");
  }
  if (type === bool) throw new TypeError("torch.bool is not supported by torch.iinfo");
  const bits = type.itemsize * 8;
  const signed = type.name !== "uint8";
  const info = {
    bits,
    min: signed ? -(2 ** (bits - 1)) : 0,
    max: signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1,
    dtype: type.name,
  };
  const text = `iinfo(min=${sixDigits(info.min)}, max=${sixDigits(info.max)}, dtype=${info.dtype})`;
  return Object.defineProperty(info, "toString", { value: () => text });
}
