/** What the site may know of the engine's inside: records of operations, index maps, memory. */
export { memoryStats } from "../core/memory.ts";
export * from "./recorder.ts";
export * from "./records.ts";
export * from "./windows.ts";
