import type { LessonRuntime } from "../../components/runtime.ts";
import type { Asked, EngineApi } from "./context.ts";

/** What was asked of the engine about the record that is shown, each question once; a new record drops all answers. */
export class Questions {
  readonly #runtime: LessonRuntime;
  readonly #answered: () => void;
  readonly #asked = new Map<string, Asked<unknown>>();

  /** @param answered called when an answer or a failure has come */
  constructor(runtime: LessonRuntime, answered: () => void) {
    this.#runtime = runtime;
    this.#answered = answered;
  }

  ask<T>(key: string, request: (api: EngineApi) => Promise<T>): Asked<T> {
    const known = this.#asked.get(key) as Asked<T> | undefined;
    if (known) return known;
    const asked: Asked<T> = { state: "waiting" };
    this.#asked.set(key, asked);
    const keep = (answer: Asked<T>) => {
      if (this.#asked.get(key) !== asked) return;
      this.#asked.set(key, answer);
      this.#answered();
    };
    request(this.#runtime.client.api).then(
      (value) => keep({ state: "ready", value }),
      (error: unknown) => keep({ state: "failed", message: error instanceof Error ? error.message : String(error) }),
    );
    return asked;
  }

  forget(): void {
    this.#asked.clear();
  }
}
