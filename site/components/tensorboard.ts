/** <stride-tensorboard data-of="CELL">: what a cell's SummaryWriter wrote, image grids and scalars, under one step slider. */
import { html, render } from "lit-html";
import { type Messages, messages } from "../i18n/index.ts";
import { chartTemplate } from "../outputs/chart.ts";
import { shapeText, shortNumber } from "../outputs/format.ts";
import { FrameQueue } from "../outputs/frame.ts";
import { pictureCanvas } from "../outputs/image.ts";
import { BoardStore, type ImagesEvent, type ScalarsEvent } from "./board-store.ts";
import type { LessonRuntime } from "./runtime.ts";

export class StrideTensorboard extends HTMLElement {
  #store = new BoardStore();
  #t: Messages = messages("en");
  /** Position in the list of steps; null: the latest, whatever it is. */
  #at: number | null = null;
  readonly #frame = new FrameQueue(() => this.#draw());
  readonly #canvases = new WeakMap<ImagesEvent, HTMLCanvasElement>();
  #leave: (() => void)[] = [];

  connectedCallback(): void {
    const lesson = this.closest<HTMLElement>("stride-lesson");
    if (lesson === null) return;
    this.#t = messages(lesson.dataset.locale);
    const of = this.dataset.of ?? "";
    void customElements.whenDefined("stride-lesson").then(() => {
      const runtime = lesson as unknown as LessonRuntime;
      this.#leave.push(
        runtime.onTensorboard((cellId, event) => {
          if (cellId !== of) return;
          this.#store.add(event);
          this.#frame.request();
        }),
        runtime.onCellState((cellId, state) => {
          // A new run writes a new log; the old one stays until it has something.
          if (cellId !== of || state !== "running") return;
          this.#store = new BoardStore();
          this.#at = null;
        }),
      );
    });
    this.#draw();
  }

  disconnectedCallback(): void {
    for (const leave of this.#leave.splice(0)) leave();
  }

  #draw(): void {
    const t = this.#t.board;
    const store = this.#store;
    if (store.isEmpty) {
      render(html`<p class="board-empty">${t.empty}</p>`, this);
      return;
    }
    const steps = store.steps;
    const at = Math.min(this.#at ?? steps.length - 1, steps.length - 1);
    const step = steps[at] ?? 0;
    render(
      html`<header class="board-head">
          <h3 class="board-title">${t.title}</h3>
          ${
            steps.length < 2
              ? null
              : html`<label class="board-step">
                  <span class="sr-only">${t.step}</span>
                  <input
                    type="range"
                    data-control="step"
                    min="0"
                    max=${steps.length - 1}
                    .value=${String(at)}
                    aria-valuetext=${t.stepOf(step, at + 1, steps.length)}
                    @input=${(event: Event) => {
                      const value = Number((event.target as HTMLInputElement).value);
                      this.#at = value === steps.length - 1 ? null : value;
                      this.#draw();
                    }}
                  />
                  <output>${t.stepOf(step, at + 1, steps.length)}</output>
                </label>`
          }
          ${store.dropped > 0 ? html`<p class="out-note">${t.dropped(store.dropped)}</p>` : null}
        </header>
        <div class="board-cards">
          ${[...store.images.keys()].map((tag) => this.#imageCard(tag, step))}
          ${[...store.scalars].map(([tag, events]) => this.#scalarCard(tag, events))}
        </div>`,
      this,
    );
  }

  #imageCard(tag: string, step: number): unknown {
    const t = this.#t.board;
    const event = this.#store.imageAt(tag, step);
    if (event === null) return null;
    let canvas = this.#canvases.get(event);
    if (canvas === undefined) {
      canvas = pictureCanvas(event.picture, `${tag}, ${t.stepOf(event.step, 1, 1)}, ${shapeText(event.shape)}`);
      this.#canvases.set(event, canvas);
    }
    const tiles = event.tiles;
    return html`<figure class="board-card" data-tag=${tag} data-kind="images" data-step=${event.step}>
      <figcaption>
        <b>${tag}</b>
        <span>${t.step} ${event.step}</span>
        <span>${shapeText(event.shape)}</span>
        ${tiles === null ? null : html`<span>${t.tiles(tiles.rows, tiles.columns)}</span>`}
      </figcaption>
      ${canvas}
      ${
        event.clippedShare > 0
          ? html`<p class="board-clipped">
              <span class="board-meter" aria-hidden="true" style="--share:${event.clippedShare}"></span>
              ${t.clipped(`${shortNumber(Number((event.clippedShare * 100).toPrecision(2)))} %`)}
            </p>`
          : null
      }
    </figure>`;
  }

  #scalarCard(tag: string, events: ScalarsEvent[]): unknown {
    const t = this.#t.board;
    const first = events[0]!;
    const last = events.at(-1)!;
    const lowest = events.reduce((low, event) => (event.value < low.value ? event : low), first);
    const series = [{ name: tag, x: events.map((event) => event.step), y: events.map((event) => event.value) }];
    return html`<figure class="board-card" data-tag=${tag} data-kind="scalars" data-step=${last.step}>
      <figcaption>
        <b>${tag}</b>
        <span>
          ${
            events.length < 2
              ? t.latest(shortNumber(last.value), last.step)
              : t.summary(shortNumber(first.value), shortNumber(last.value), shortNumber(lowest.value), lowest.step)
          }
        </span>
      </figcaption>
      ${chartTemplate(tag, series, { t: this.#t })}
    </figure>`;
  }
}

if (!customElements.get("stride-tensorboard")) customElements.define("stride-tensorboard", StrideTensorboard);
