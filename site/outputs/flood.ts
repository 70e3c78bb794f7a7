/**
 * A cap on what one cell may print onto the page: the beginning is kept to the letter, the rest is counted, and the last
 * lines are shown, so that `while (true) print(i)` leaves a page that still scrolls.
 */
export interface FloodLimits {
  lines: number;
  characters: number;
  /** Lines of the end that stay visible once the cap is reached. */
  tail: number;
}

export const FLOOD: FloodLimits = { lines: 2000, characters: 200_000, tail: 8 };

export class Flood {
  readonly #limits: FloodLimits;
  #lines = 0;
  #characters = 0;
  #hiddenLines = 0;
  #hiddenCharacters = 0;
  #tail = "";

  constructor(limits: FloodLimits = FLOOD) {
    this.#limits = limits;
  }

  /** What of this text still fits; the rest is counted. */
  push(text: string): string {
    if (this.#lines >= this.#limits.lines || this.#characters >= this.#limits.characters) {
      this.#hide(text);
      return "";
    }
    let end = Math.min(text.length, this.#limits.characters - this.#characters);
    let lines = this.#lines;
    for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) {
      lines++;
      if (lines >= this.#limits.lines) {
        end = at + 1;
        break;
      }
    }
    this.#lines = lines;
    this.#characters += end;
    if (end < text.length) this.#hide(text.slice(end));
    return text.slice(0, end);
  }

  get hidden(): { lines: number; characters: number; tail: string } | null {
    return this.#hiddenCharacters === 0
      ? null
      : { lines: this.#hiddenLines, characters: this.#hiddenCharacters, tail: this.#tail };
  }

  #hide(text: string): void {
    this.#hiddenCharacters += text.length;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#hiddenLines++;
    const lines = (this.#tail + text.slice(-4000)).split("\n");
    this.#tail = lines.slice(-this.#limits.tail - (lines.at(-1) === "" ? 1 : 0)).join("\n");
  }
}
