/** What a test page holds: clients to drive from outside, and the events that each has had. */
import { createKernelClient, KernelGoneError, kernelFromUrl } from "../../site/kernel/client.ts";
import type { KernelClient, KernelEvent, RunResult } from "../../site/kernel/protocol.ts";

declare global {
  interface Window {
    client: KernelClient;
    events: KernelEvent[];
    states: string[];
    runCell(cellId: string, source: string, scope?: Record<string, string>, check?: string): Promise<RunResult>;
    textOf(cellId: string): string;
    makeClient: typeof createKernelClient;
    KernelGoneError: typeof KernelGoneError;
  }
}

window.makeClient = createKernelClient;
window.KernelGoneError = KernelGoneError;
window.client = createKernelClient(kernelFromUrl("/kernel.js"));
window.events = [];
window.states = [];
window.client.onEvent((event) => window.events.push(event));
window.client.addEventListener("state", (event) => window.states.push((event as CustomEvent<string>).detail));
window.runCell = (cellId, source, scope = {}, check) =>
  window.client.run({ cellId, source, scope, publishes: check === undefined, check: check ?? null });
window.textOf = (cellId) => {
  let text = "";
  for (const event of window.events) {
    if (event.type === "append" && event.cellId === cellId) text += event.text;
    else if (event.type === "output" && event.cellId === cellId && event.item.kind === "text") text += event.item.text;
  }
  return text;
};
