/** Special functions of one number, in double precision. */
import { erf } from "../backends/reference/erf.ts";

/** 1 - erf(x): by a continued fraction where erf is nearly 1. */
export function erfcOf(x: number): number {
  if (x < 2) return 1 - erf(x);
  if (x === Infinity || Number.isNaN(x)) return Number.isNaN(x) ? x : 0;
  let fraction = 0;
  for (let k = 60; k > 0; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
}

/** Giles' approximation, made exact by two steps of Newton's. */
export function erfinvOf(y: number): number {
  if (Number.isNaN(y) || y < -1 || y > 1) return Number.NaN;
  if (Math.abs(y) === 1) return y * Infinity;
  const w = -Math.log((1 - y) * (1 + y));
  const a = 0.147;
  const b = 2 / (Math.PI * a) - w / 2;
  let x = Math.sign(y) * Math.sqrt(Math.sqrt(b * b + w / a) - b);
  for (let k = 0; k < 4 && x !== 0; k++) {
    const error = y > 0 ? 1 - y - erfcOf(x) : erfcOf(-x) - 1 - y;
    const miss = Math.abs(y) < 0.5 ? erf(x) - y : error;
    x -= (miss * Math.sqrt(Math.PI)) / 2 / Math.exp(-x * x);
  }
  return y === 0 ? y : x;
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** log |Γ(x)|. */
export function lgammaOf(x: number): number {
  if (x === Infinity || x === -Infinity) return Infinity;
  if (x <= 0 && Number.isInteger(x)) return Infinity;
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lgammaOf(1 - x);
  if (x === 1 || x === 2) return 0;
  const z = x - 1;
  const sum = LANCZOS.reduce((total, c, i) => (i === 0 ? c : total + c / (z + i)), 0);
  const t = z + 7.5;
  return Math.log(2 * Math.PI) / 2 + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

/** The derivative of lgamma: -∞ at 0, NaN at the negative integers. */
export function digammaOf(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Infinity : -Infinity;
  if (x < 0 && (Number.isInteger(x) || x === -Infinity)) return Number.NaN;
  if (x < 0) return digammaOf(1 - x) - Math.PI / Math.tan(Math.PI * (x % 1));
  let value = 0;
  let z = x;
  for (; z < 10; z++) value -= 1 / z;
  if (z > 1e17) return value + Math.log(z);
  const s = 1 / (z * z);
  const series =
    s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (5 / 660 - s * (691 / 32760 - s / 12))))));
  return value + Math.log(z) - 0.5 / z - series;
}

const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];

/** Σ 1 / (k + q)^s from k = 0 on: Hurwitz' zeta function by Euler and Maclaurin. */
function zeta(s: number, q: number): number {
  let sum = 0;
  let z = q;
  for (let k = 0; k < 12; k++, z++) sum += z ** -s;
  sum += z ** (1 - s) / (s - 1) + z ** -s / 2;
  let term = s * z ** (-s - 1);
  for (let k = 0; k < BERNOULLI.length; k++) {
    const n = 2 * k + 2;
    sum += (BERNOULLI[k]! * term) / factorial(n);
    term *= ((s + n - 1) * (s + n)) / (z * z);
  }
  return sum;
}

function factorial(n: number): number {
  let product = 1;
  for (let i = 2; i <= n; i++) product *= i;
  return product;
}

/** The n-th derivative of digamma. */
export function polygammaOf(n: number, x: number): number {
  if (n === 0) return digammaOf(x);
  if (x === Infinity) return 0;
  if (x === -Infinity || Number.isNaN(x)) return Number.NaN;
  if (x <= 0 && Number.isInteger(x)) return Infinity;
  // Below 0 the terms are taken one by one until the argument is positive.
  let sum = 0;
  let q = x;
  for (; q <= 0; q++) sum += q ** (-n - 1);
  return (n % 2 === 0 ? -1 : 1) * factorial(n) * (sum + zeta(n + 1, q));
}
