/** What optimizers' steps are written with: formulas that read and change a parameter and what is remembered of it at once. */
import type { Tensor } from "../core/tensor.ts";
import { type Algebra, change, type Formula, formula, type Value } from "../ops/formulas.ts";

type M = Algebra<Value>;

/** The gradient to descend along: negated for `maximize`, with the L2 penalty where there is a factor for it. */
export function direction(m: M, param: Value, grad: Value, maximize: boolean, weightDecay: Value | null): Value {
  const step = maximize ? m.neg(grad) : grad;
  return weightDecay ? m.madd(param, weightDecay, step) : step;
}

/** x + value · a · b, in the order of torch.addcmul. */
export function addcmul(m: M, x: Value, a: Value, b: Value, value?: Value | number): Value {
  return m.madd(value === undefined ? a : m.mul(a, value), b, x);
}

/** x + value · a / b, in the order of torch.addcdiv. */
export function addcdiv(m: M, x: Value, a: Value, b: Value, value?: Value): Value {
  return m.add(x, m.div(value === undefined ? a : m.mul(a, value), b));
}

/** torch.lerp by a number: from the nearer end, which `isNear` says is the start. */
export function lerp(m: M, start: Value, end: Value, weight: Value, isNear: boolean): Value {
  const way = m.sub(end, start);
  return isNear ? m.madd(way, weight, start) : m.madd(way, m.sub(weight, 1), end);
}

/** Whether torch.lerp begins at the start. */
export function isNearStart(weight: number, { dtype }: Tensor): boolean {
  return Math.abs(dtype.name === "float32" ? Math.fround(weight) : weight) < 0.5;
}

/**
 * A step of an optimizer. The formula depends on flags and on which tensors are there (null where not).
 * @param write the new values of those tensors that change, by name
 */
export function stepOf<T extends string, N extends string, F extends string = never>(
  write: (
    m: M,
    tensors: Record<T, Value>,
    numbers: Record<N, Value>,
    flags: Readonly<Record<F, boolean>>,
  ) => Partial<Record<T, Value>>,
): (
  tensors: Readonly<Record<T, Tensor | null>>,
  numbers: Readonly<Record<N, number>>,
  flags: Readonly<Record<F, boolean>>,
) => void {
  const known = new Map<string, { steps: Formula; changed: T[] }>();
  return (tensors, numbers, flags) => {
    const names = (Object.keys(tensors) as T[]).filter((name) => tensors[name] !== null);
    const key = `${names} ${Object.values(flags)}`;
    let step = known.get(key);
    if (!step) {
      const byName = <K extends string>(keys: readonly K[], values: readonly Value[]) =>
        Object.fromEntries(keys.map((name, i) => [name, values[i]])) as Record<K, Value>;
      const constants = Object.keys(numbers) as N[];
      let changed: T[] = [];
      const steps = formula(names.length, constants.length, (m, values, given) => {
        const results = write(m, byName(names, values), byName(constants, given), flags);
        changed = Object.keys(results) as T[];
        return Object.values<Value | undefined>(results) as Value[];
      });
      step = { steps, changed };
      known.set(key, step);
    }
    const of = (list: readonly T[]) => list.map((name) => tensors[name] as Tensor);
    change(of(step.changed), step.steps, Object.values<number>(numbers), of(names));
  };
}
