/** Time for one view: at most one timer alive, and none once it is paused. It never starts by itself. */

export const SPEEDS = [0.5, 1, 2, 4] as const;

/** Milliseconds per step at speed 1: long enough to read a row of products. */
const STEP_MS = 1100;

export class Player {
  speed = 1;
  #timer: ReturnType<typeof setTimeout> | null = null;
  readonly #advance: () => boolean;
  readonly #onChange: () => void;

  /** `advance` moves one step and says whether there is another. */
  constructor(advance: () => boolean, onChange: () => void) {
    this.#advance = advance;
    this.#onChange = onChange;
  }

  get playing(): boolean {
    return this.#timer !== null;
  }

  play(): void {
    if (this.playing) return;
    this.#schedule();
    this.#onChange();
  }

  pause(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#onChange();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#schedule();
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#timer = null;
      if (this.#advance()) this.#schedule();
      this.#onChange();
    }, STEP_MS / this.speed);
  }
}
