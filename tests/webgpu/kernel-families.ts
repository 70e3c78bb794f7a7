/** Which file holds the cases of which kernels. */
import { copyCases } from "./copy-cases.ts";
import type { KernelCase } from "./kernel-cases.ts";

export const FAMILIES: Readonly<Record<string, () => KernelCase[]>> = {
  copy: copyCases,
};
