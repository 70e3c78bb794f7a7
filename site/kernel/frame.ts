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

/** One worker at a time: a new kernel ends the one before it, "stop" only ends it. Answers when asked whether it lives. */
const FRAME_SCRIPT = `
let worker = null;
addEventListener("message", (event) => {
  if (event.source !== parent) return;
  if (event.data === "alive?") {
    parent.postMessage("stride-kernel-alive", "*");
    return;
  }
  worker?.terminate();
  worker = null;
  if (event.data === "stop") return;
  const { generation } = event.data.options;
  const fail = (message) => parent.postMessage({ strideKernelFailed: message || "the worker was refused", generation }, "*");
  try {
    worker = new Worker(${JSON.stringify(`data:text/javascript,${encodeURIComponent(BOOTSTRAP)}`)}, { type: "module" });
    worker.onerror = (error) => { error.preventDefault(); fail(error.message); };
    worker.postMessage(event.data, [...event.ports]);
  } catch (error) {
    fail(String(error && error.message || error));
  }
});
`;

const DOCUMENT = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}"><title>kernel</title><script nonce="${NONCE}">${FRAME_SCRIPT}</script>`;

const WATCH_MS = 1000;
const SILENCE_MS = 4000;

export interface KernelPorts {
  requests: MessagePort;
  events: MessagePort;
}

/** The frame stays while its workers come and go: making one takes longer than starting a worker. */
export class KernelFrame {
  private readonly frame = document.createElement("iframe");
  private readonly loaded: Promise<void>;
  private onFailure: (message: string) => void = () => {};
  private generation = 0;
  private ports: KernelPorts | null = null;
  private watch: ReturnType<typeof setInterval> | undefined;
  private heardAt = 0;

  constructor() {
    const { frame } = this;
    frame.setAttribute("sandbox", "allow-scripts");
    frame.setAttribute("aria-hidden", "true");
    frame.setAttribute("referrerpolicy", "no-referrer");
    frame.tabIndex = -1;
    frame.title = "kernel";
    frame.style.cssText = "display:none";
    frame.srcdoc = DOCUMENT;
    this.loaded = new Promise((resolve) => frame.addEventListener("load", () => resolve(), { once: true }));
    addEventListener("message", this.listen);
    document.body.append(frame);
  }

  /**
   * Starts a worker; the one before it ends. Whether the kernel came up is said on the port of events.
   * @param onFailure is called when the frame could not start the worker
   */
  async start(text: string, options: StartOptions, onFailure: (message: string) => void): Promise<KernelPorts> {
    await this.loaded;
    this.stop();
    this.onFailure = onFailure;
    this.generation = options.generation;
    const requests = new MessageChannel();
    const events = new MessageChannel();
    this.ports = { requests: requests.port1, events: events.port1 };
    this.frame.contentWindow?.postMessage({ text, options }, "*", [requests.port2, events.port2]);
    this.watchOver();
    return this.ports;
  }

  /** Ends the worker at once, whatever it is doing. */
  stop(): void {
    if (!this.ports) return;
    this.frame.contentWindow?.postMessage("stop", "*");
    clearInterval(this.watch);
    this.ports.requests.close();
    this.ports.events.close();
    this.ports = null;
  }

  /**
   * Asks the frame now and then whether it is still there: its process may run out of memory, and no event says so. The
   * frame answers also while its worker is busy.
   */
  private watchOver(): void {
    clearInterval(this.watch);
    this.heardAt = performance.now();
    let askedAt = this.heardAt;
    this.watch = setInterval(() => {
      const { contentWindow } = this.frame;
      // A page that slept has not heard anything either: only an unanswered question counts.
      const unanswered = askedAt > this.heardAt && performance.now() - askedAt > SILENCE_MS;
      if (contentWindow === null || unanswered) {
        clearInterval(this.watch);
        this.onFailure("its process ended, perhaps for want of memory");
      } else if (askedAt <= this.heardAt) {
        askedAt = performance.now();
        contentWindow.postMessage("alive?", "*");
      }
    }, WATCH_MS);
  }

  /** Ends everything: for a frame whose process is gone, or that does not answer. */
  remove(): void {
    clearInterval(this.watch);
    removeEventListener("message", this.listen);
    this.frame.remove();
    this.ports?.requests.close();
    this.ports?.events.close();
    this.ports = null;
  }

  private readonly listen = (event: MessageEvent): void => {
    if (event.source === null || event.source !== this.frame.contentWindow) return;
    this.heardAt = performance.now();
    const { strideKernelFailed, generation } = (event.data ?? {}) as {
      strideKernelFailed?: unknown;
      generation?: unknown;
    };
    if (strideKernelFailed !== undefined && generation === this.generation) this.onFailure(String(strideKernelFailed));
  };
}
