/** The bar above a lesson: what runs everything, what the engine is doing, how far the student is, and what to say. */
import type { Messages } from "../i18n/index.ts";
import type { KernelState } from "../kernel/protocol.ts";
import { action, button, part, say } from "./dom.ts";

export interface BarActions {
  runAll(): void;
  restart(): void;
  stop(): void;
  device(device: "cpu" | "webgpu"): void;
  resetAll(): void;
}

export interface Choice {
  label: string;
  primary?: boolean;
  run(): void;
}

export class LessonBar {
  readonly #host: HTMLElement;
  readonly #t: Messages;
  readonly #actions: BarActions;
  /** A notice that stays through runs until it is dismissed. */
  #standing: { text: string; choices: Choice[] } | null = null;
  #storageSaid = false;
  #hasGpu = "gpu" in navigator;

  constructor(host: HTMLElement, t: Messages, actions: BarActions) {
    this.#host = host;
    this.#t = t;
    this.#actions = actions;
    const bar = part(host, "bar");
    if (bar === null) return;
    action(bar, "run-all")?.addEventListener("click", () => actions.runAll());
    action(bar, "restart")?.addEventListener("click", () => actions.restart());
    action(bar, "stop")?.addEventListener("click", () => actions.stop());
    action(bar, "reset-lesson")?.addEventListener("click", () => this.#askReset());
    const device = this.#device;
    device?.addEventListener("change", () => actions.device(device.value === "webgpu" ? "webgpu" : "cpu"));
    if (!this.#hasGpu) this.#sayNoGpu();
    this.kernel("idle");
  }

  get #bar(): HTMLElement | null {
    return part(this.#host, "bar");
  }

  get #device(): HTMLSelectElement | null {
    return this.#bar?.querySelector("select[data-control='device']") ?? null;
  }

  /** Whether this machine has a GPU for pages, as far as is known. */
  get hasGpu(): boolean {
    return this.#hasGpu;
  }

  /** Browsers with WebGPU may have no adapter: only asking them tells. */
  async lookForGpu(): Promise<void> {
    if (!this.#hasGpu || (await navigator.gpu.requestAdapter().catch(() => null)) !== null) return;
    this.#hasGpu = false;
    this.#sayNoGpu();
  }

  #sayNoGpu(): void {
    const gpu = this.#device?.querySelector<HTMLOptionElement>("option[value='webgpu']");
    if (!gpu) return;
    gpu.disabled = true;
    gpu.textContent = this.#t.lesson.webgpuAbsent;
  }

  kernel(state: KernelState): void {
    this.#host.dataset.kernel = state;
    const bar = this.#bar;
    if (bar === null) return;
    say(part(bar, "kernel-state"), this.#t.lesson.kernel[state]);
    const stop = action(bar, "stop");
    if (stop) stop.disabled = state !== "running";
    const restart = action(bar, "restart");
    if (restart) restart.disabled = state === "idle" || state === "starting";
  }

  progress(done: number, all: number, edited: boolean): void {
    const bar = this.#bar;
    if (bar === null) return;
    const track = part(bar, "progress");
    if (track !== null) {
      track.style.setProperty("--share", all === 0 ? "0" : String(done / all));
      track.title = this.#t.lesson.progress(done, all);
      say(part(track, "progress-words"), this.#t.lesson.progressShort(done, all));
      say(part(track, "progress-full"), this.#t.lesson.progress(done, all));
    }
    const reset = action(bar, "reset-lesson");
    if (reset) reset.hidden = !edited;
  }

  dataset(name: string | null): void {
    const element = this.#bar && part(this.#bar, "dataset");
    if (!element) return;
    say(element, name === null ? "" : (this.#t.lesson.dataset[name] ?? name));
    element.title = name === null ? "" : (this.#t.lesson.datasetTitle[name] ?? "");
  }

  device(device: "cpu" | "webgpu"): void {
    const select = this.#device;
    if (select) select.value = device;
  }

  /** A sentence below the bar, with what can be done about it. The last one stands until it is answered or replaced. */
  notice(text: string, choices: Choice[] = []): void {
    const host = this.#bar && part(this.#bar, "notice");
    if (!host) return;
    const words = document.createElement("p");
    words.textContent = text;
    const buttons = choices.map(({ label, primary, run }) =>
      button(label, primary ? "btn btn-primary" : "btn", () => {
        this.clearNotice();
        run();
      }),
    );
    host.replaceChildren(words, ...buttons);
  }

  /** Takes away what the last run said; a standing notice comes back. */
  clearNotice(): void {
    if (this.#standing !== null) this.notice(this.#standing.text, this.#standing.choices);
    else (this.#bar && part(this.#bar, "notice"))?.replaceChildren();
  }

  ask(text: string, yes: string, no: string): Promise<boolean> {
    return new Promise((resolve) =>
      this.notice(text, [
        { label: yes, primary: true, run: () => resolve(true) },
        { label: no, run: () => resolve(false) },
      ]),
    );
  }

  sayStorageBlocked(): void {
    if (this.#storageSaid) return;
    this.#storageSaid = true;
    const dismiss = () => {
      this.#standing = null;
      this.clearNotice();
    };
    this.#standing = {
      text: this.#t.lesson.storageBlocked,
      choices: [{ label: this.#t.lesson.dismiss, run: dismiss }],
    };
    this.clearNotice();
  }

  sayLoadFailed(error: Error, again: () => void): void {
    const t = this.#t.lesson;
    this.notice(navigator.onLine ? t.loadFailed(error.message) : t.offline, [
      { label: t.tryAgain, primary: true, run: again },
    ]);
  }

  #askReset(): void {
    const t = this.#t.lesson;
    void this.ask(t.resetAsk, t.resetYes, t.cancel).then((yes) => {
      if (yes) this.#actions.resetAll();
    });
  }
}
