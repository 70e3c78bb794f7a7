/** Getting hold of a GPU. */

/** What of the adapter's limits is asked for beyond WebGPU's defaults; kernels keep to the defaults in everything else. */
const WANTED = ["maxStorageBufferBindingSize", "maxBufferSize"] as const;

/** Kernels use them where the adapter has them, and do without elsewhere. */
const FEATURES = ["subgroups"] as const;

/**
 * A device of the fastest adapter, with room for large tensors where the adapter has it.
 * @returns null where there is no WebGPU or no adapter
 */
export async function requestDevice(gpu: GPU | undefined): Promise<GPUDevice | null> {
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) return null;
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED) requiredLimits[name] = adapter.limits[name];
  const requiredFeatures = FEATURES.filter((name) => adapter.features.has(name));
  return await adapter.requestDevice({ requiredLimits, requiredFeatures });
}
