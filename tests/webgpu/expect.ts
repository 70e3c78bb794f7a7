/** Stands in for vitest's `expect` in the page, where there is no runner: the few matchers that golden checks use. */

class Mismatch extends Error {
  override name = "Mismatch";
}

function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  for (const name of names) if (!equal(left[name], right[name])) return false;
  return true;
}

const text = (value: unknown) => JSON.stringify(value) ?? String(value);

function expectation(actual: unknown, what = "") {
  const must = (holds: boolean, relation: string, expected: unknown): void => {
    if (!holds) throw new Mismatch(`${what}: ${text(actual)} ${relation} ${text(expected)}`);
  };
  return {
    toBe: (expected: unknown) => must(Object.is(actual, expected), "is not", expected),
    toEqual: (expected: unknown) => must(equal(actual, expected), "does not equal", expected),
    toBeInstanceOf: (expected: new (...args: never[]) => unknown) =>
      must(actual instanceof expected, "is no", expected.name),
    toBeTruthy: () => must(Boolean(actual), "is not", true),
    toBeLessThan: (expected: number) => must((actual as number) < expected, "is not less than", expected),
  };
}

export const expect = Object.assign(expectation, {
  fail(message: string): never {
    throw new Mismatch(message);
  },
});
