/** The texts that the kernel's worker is made of. */
import { expect, test } from "vitest";
import { bundleKernel, WEBGPU_ENTRY } from "../../site/kernel/bundle.ts";
import { precached } from "../../site/offline.ts";

test("the kernel's text leaves the WebGPU backend to a text of its own, which offline visits bring along", async () => {
  const [kernel, webGpu] = await Promise.all([
    bundleKernel({ minify: true }),
    bundleKernel({ minify: true, entry: WEBGPU_ENTRY }),
  ]);
  expect(kernel).not.toContain("@workgroup_size");
  expect(webGpu).toContain("@workgroup_size");
  expect(webGpu).toMatch(/export\s*\{.*\bcreateWebGpuBackend\b/s);
  // Nothing of it may be imported: a blob has no neighbours.
  expect(kernel + webGpu).not.toMatch(/\bfrom\s*"\.|import\("\./);
  const files = ["_astro/kernel-1a2b.js", "_astro/webgpu-1a2b.js"];
  expect(precached(files.map((path) => ({ path, bytes: 100_000 })))).toEqual(files);
});
