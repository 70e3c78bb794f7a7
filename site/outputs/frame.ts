/** Work gathered until the next frame. A hidden tab has no frames, so a timer stands in. */
export class FrameQueue {
  readonly #work: () => void;
  #handle: number | ReturnType<typeof setTimeout> | null = null;
  #timer = false;

  constructor(work: () => void) {
    this.#work = work;
  }

  request(): void {
    if (this.#handle !== null) return;
    this.#timer = document.hidden;
    this.#handle = this.#timer ? setTimeout(() => this.flush(), 100) : requestAnimationFrame(() => this.flush());
  }

  /** Does the work now, if any was asked for. */
  flush(): void {
    if (this.#handle === null) return;
    if (this.#timer) clearTimeout(this.#handle as ReturnType<typeof setTimeout>);
    else cancelAnimationFrame(this.#handle as number);
    this.#handle = null;
    this.#work();
  }
}
