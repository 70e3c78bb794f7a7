import { afterEach, describe, expect, test } from "vitest";
import { currentBackend, initWasm, kernels, useBackend, wasmVariant } from "../../../engine/backends/index.ts";
import { float64 } from "../../../engine/core/dtype.ts";
import { empty, noise, relativeError } from "./views.ts";

/** a · b on whichever backend serves. */
function product(dtype = empty([1]).dtype) {
  const out = empty([1, 9, 9], dtype);
  kernels.matmul(noise([1, 9, 9], 1, dtype), noise([1, 9, 9], 2, dtype), out);
  return out;
}

describe("the CPU's kernels", () => {
  afterEach(() => useBackend("reference"));

  test("are the reference's until the fast ones have been started", () => {
    expect(currentBackend()).toBe("reference");
    expect(() => useBackend("wasm")).toThrow("await initWasm() first");
  });

  test("stay the reference's, with a warning, where the compiled kernels are missing or broken", async () => {
    const warnings: unknown[] = [];
    const { warn } = console;
    console.warn = (message: unknown) => warnings.push(message);
    expect(await initWasm(() => Promise.reject(new Error("no such file")))).toBeNull();
    expect(await initWasm(new Uint8Array([1, 2, 3]))).toBeNull();
    console.warn = warn;
    expect(warnings).toEqual([expect.stringContaining("no such file"), expect.stringContaining("slower ones serve")]);
    expect(currentBackend()).toBe("reference");
    expect(product().data[0]).not.toBe(0);
  });

  test("are the fast ones once started, and those answer alike", async () => {
    const expected = product();
    expect(await initWasm()).toBe(wasmVariant());
    expect(currentBackend()).toBe("wasm");
    expect(relativeError(product(), expected)).toBeLessThan(1e-6);
  });

  test("serve what the fast ones decline from the reference, to the bit", () => {
    const expected = product(float64);
    useBackend("wasm");
    expect(product(float64).data).toEqual(expected.data);
  });
});
