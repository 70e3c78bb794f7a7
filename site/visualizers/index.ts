/**
 * `<stride-visualizer data-kind="conv2d" data-of="first-conv" data-op="conv2d">`: waits until it is scrolled near, then loads
 * the shell and its kind. Until then it costs an observer.
 */
import type { LessonRuntime } from "../components/runtime.ts";
import type { VisualizerApp } from "./shell/app.ts";
import type { Kind } from "./shell/context.ts";

const KINDS: Record<string, () => Promise<Kind>> = {
  conv2d: () => import("./conv2d/index.ts").then((module) => module.conv2d),
  pool2d: () => import("./pool2d/index.ts").then((module) => module.pool2d),
};

/** How far below the window a visualizer starts to load. */
const NEAR = "800px 0px";

export class StrideVisualizer extends HTMLElement {
  #observer: IntersectionObserver | null = null;
  #app: VisualizerApp | null = null;

  connectedCallback(): void {
    if (this.#observer || this.#app) return;
    this.#observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        this.#observer?.disconnect();
        this.#observer = null;
        void this.#open();
      },
      { rootMargin: NEAR },
    );
    this.#observer.observe(this);
  }

  disconnectedCallback(): void {
    this.#observer?.disconnect();
    this.#observer = null;
    this.#app?.dispose();
    this.#app = null;
  }

  async #open(): Promise<void> {
    const load = KINDS[this.dataset.kind ?? ""];
    const lesson = this.closest("stride-lesson");
    if (!load || !lesson) return;
    const [kind, { VisualizerApp }] = await Promise.all([
      load(),
      import("./shell/app.ts"),
      import("./styles.ts"),
      customElements.whenDefined("stride-lesson"),
    ]);
    if (!this.isConnected || this.#app) return;
    this.#app = new VisualizerApp(this, lesson as unknown as LessonRuntime, kind);
  }
}

if (!customElements.get("stride-visualizer")) customElements.define("stride-visualizer", StrideVisualizer);
