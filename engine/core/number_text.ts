/**
 * Python's text of numbers. JavaScript's `toFixed` and `toExponential` round exact halves away from zero, Python to even;
 * means over 32 values end in such halves (0.03125 is 0.0312 in Python), so it shows.
 */

/** `f"{x:.{digits}f}"`. */
export function fixed(x: number, digits: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  const magnitude = Math.abs(x);
  // toFixed gives up on the digits from 1e21 on; numbers of that size are integers.
  if (magnitude >= 1e21) return sign + BigInt(magnitude).toString() + (digits > 0 ? "." + "0".repeat(digits) : "");
  const text = magnitude.toFixed(digits);
  // x lies halfway between two texts exactly where it is an odd multiple of 2^-(digits + 1).
  const halves = magnitude * 2 ** (digits + 1);
  return sign + (halves % 2 === 1 ? toEven(text) : text);
}

/** `f"{x:.{digits}e}"`: at least two digits of exponent. */
export function exponential(x: number, digits: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  const [mantissa, exponent] = Math.abs(x).toExponential(digits).split("e") as [string, string];
  const exact = Math.abs(x).toExponential(100).split("e")[0]!;
  // Past "d." and the kept digits: a five and nothing but zeros is an exact half.
  const half = /^50*$/.test(exact.slice(2 + digits));
  return `${sign}${half ? toEven(mantissa) : mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}

/** `repr(x)` of a Python float: the shortest text that reads back, `1.0`, `1e-05`, `1e+16`, `inf`, `nan`. */
export function floatRepr(x: number): string {
  if (!Number.isFinite(x)) return nonFinite(x);
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const [mantissa, exponentText] = x.toExponential().split("e") as [string, string];
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 16) {
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const digits = mantissa.replace(/[-.]/g, "");
  const sign = x < 0 ? "-" : "";
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

/** `repr(x)` of a Python int. */
export function intRepr(x: number): string {
  return Number.isSafeInteger(x) ? String(Object.is(x, -0) ? 0 : x) : BigInt(x).toString();
}

/**
 * A JavaScript number as Python would print the number that was meant. Integers print as ints, since nothing in
 * JavaScript tells 2 from 2.0.
 */
export function numberRepr(x: number): string {
  return Number.isInteger(x) && !Object.is(x, -0) ? intRepr(x) : floatRepr(x);
}

function nonFinite(x: number): string {
  if (Number.isNaN(x)) return "nan";
  return x > 0 ? "inf" : "-inf";
}

/** A text that was rounded up from an exact half: back to the even neighbour. An odd last digit has one below it. */
function toEven(roundedUp: string): string {
  const last = Number(roundedUp[roundedUp.length - 1]);
  return last % 2 === 1 ? roundedUp.slice(0, -1) + String(last - 1) : roundedUp;
}

const floatLists = new WeakSet<object>();

/**
 * Marks a nested array as holding floats, so that `print` writes a whole number in it as `2.0`; returns it. Where the
 * array came from a tensor, its dtype knows what JavaScript's numbers don't say.
 */
export function asFloats<T>(list: T): T {
  if (Array.isArray(list)) {
    floatLists.add(list);
    for (const item of list) asFloats(item);
  }
  return list;
}

export function holdsFloats(list: object): boolean {
  return floatLists.has(list);
}
