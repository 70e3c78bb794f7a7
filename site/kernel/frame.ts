/**
 * The wall: a sandboxed frame without an origin, whose policy allows neither network nor storage, and in it the worker that
 * runs cells. The page fetches the kernel's text and posts it in, so nothing inside ever loads anything.
 *
 * The worker's own script is a `data:` URL (a blob *module* worker does not start in such a frame, and a blob classic worker
 * has no WebGPU); it stays a few lines, since a `data:` URL of two megabytes is too long.
 */
import type { StartOptions } from "./worker/start.ts";

const BOOTSTRAP = `
addEventListener("message", async ({ data, ports }) => {
  const url = URL.createObjectURL(new Blob([data.text], { type: "text/javascript" }));
  try {
    const { start } = await import(url);
    await start(data.options, ports);
  } catch (error) {
    ports[1].postMessage({ kind: "failed", message: String(error && error.message || error) });
  } finally {
    URL.revokeObjectURL(url);
  }
}, { once: true });
`;

const NONCE = "stride-frame";

const POLICY = [
  "default-src 'none'",
  // blob: modules are the kernel and the cells; WebAssembly needs its own word. No eval.
  `script-src 'nonce-${NONCE}' blob: 'wasm-unsafe-eval'`,
  "worker-src data:",
  "connect-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const FRAME_SCRIPT = `
addEventListener("message", (event) => {
  if (event.source !== parent) return;
  const events = event.ports[1];
  const fail = (message) => parent.postMessage({ strideKernelFailed: message || "the worker was refused" }, "*");
  try {
    const worker = new Worker(${JSON.stringify(`data:text/javascript,${encodeURIComponent(BOOTSTRAP)}`)}, { type: "module" });
    worker.onerror = (error) => { error.preventDefault(); fail(error.message); };
    worker.postMessage(event.data, [...event.ports]);
  } catch (error) {
    fail(String(error && error.message || error));
  }
}, { once: true });
`;

const DOCUMENT = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>kernel</title><script nonce="${NONCE}">${FRAME_SCRIPT}</script>`;

export interface KernelFrame {
  requests: MessagePort;
  events: MessagePort;
  /** Ends the worker at once, whatever it is doing. */
  remove(): void;
}

/**
 * Builds the frame and starts the worker in it. Whether the kernel came up is said on the port of events.
 * @param onFailure is called when the frame could not start the worker
 */
export function openFrame(text: string, options: StartOptions, onFailure: (message: string) => void): KernelFrame {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.setAttribute("aria-hidden", "true");
  frame.setAttribute("referrerpolicy", "no-referrer");
  frame.tabIndex = -1;
  frame.title = "kernel";
  frame.style.cssText = "display:none";
  frame.srcdoc = DOCUMENT;
  const requests = new MessageChannel();
  const events = new MessageChannel();
  frame.addEventListener(
    "load",
    () => {
      frame.contentWindow?.postMessage({ text, options }, "*", [requests.port2, events.port2]);
    },
    { once: true },
  );
  const listen = (event: MessageEvent): void => {
    if (event.source !== frame.contentWindow || event.source === null) return;
    const message = (event.data as { strideKernelFailed?: unknown } | null)?.strideKernelFailed;
    if (message !== undefined) onFailure(String(message));
  };
  addEventListener("message", listen);
  document.body.append(frame);
  return {
    requests: requests.port1,
    events: events.port1,
    remove() {
      removeEventListener("message", listen);
      frame.remove();
      requests.port1.close();
      events.port1.close();
    },
  };
}
