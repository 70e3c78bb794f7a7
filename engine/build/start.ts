/** Imported first by every module of dist/engine: the fast kernels run before the first tensor is made. */
import { initWasm } from "../backends/index.ts";

await initWasm();
