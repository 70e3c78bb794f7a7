/** The life of one visualizer: it follows the cell's records, holds the selection, asks the engine, and draws the frame. */
import { html, render } from "lit-html";
import type { OpRecord, RecordSummary } from "../../../engine/inspect/records.ts";
import type { LessonRuntime } from "../../components/runtime.ts";
import type { WhatIf, WhatIfAnswer } from "../../kernel/protocol.ts";
import { type Strings, stringsFor } from "../i18n.ts";
import { Calls } from "./calls.ts";
import { rewriteCall } from "./code.ts";
import type { Context, GridPart, Kind, Lit } from "./context.ts";
import { emptyState, message } from "./empty.ts";
import { NumberText } from "./format.ts";
import { type FrameActions, frame } from "./frame.ts";
import { readHash, writeHash } from "./hash.ts";
import { type HeatPaint, paintHeatmaps } from "./heatmap.ts";
import { followFocus, handleKey } from "./keys.ts";
import { Player } from "./player.ts";
import { Questions } from "./questions.ts";
import { packSelection, type Selection, unpackSelection, type View } from "./selection.ts";
import { watch } from "./watch.ts";
import {
  changeOf,
  diagnose,
  type Edits,
  NO_EDITS,
  packSettings,
  refusal,
  type Settings,
  settingsOf,
  unpackSettings,
} from "./whatif.ts";

let created = 0;

export class VisualizerApp {
  readonly #host: HTMLElement;
  /** lit-html's own element: a host that is moved in the page gets a fresh one. */
  readonly #root = document.createElement("div");
  readonly #runtime: LessonRuntime;
  readonly #kind: Kind;
  readonly #t: Strings;
  readonly #numbers: NumberText;
  readonly #player: Player;
  readonly #ending = new AbortController();
  readonly #uid = `sv${++created}`;
  readonly #painted = new WeakMap<HTMLCanvasElement, string>();
  readonly #calls: Calls;
  readonly #questions: Questions;

  #call = 0;
  #own: OpRecord | null = null;
  #gone = false;
  #ran = false;
  #busy = false;
  #selection: Selection;
  #hovered: Partial<Selection> | null = null;
  #lit: Lit | null = null;
  #settings: Settings | null = null;
  #edits: Edits = NO_EDITS;
  #answer: WhatIfAnswer | null = null;
  #change: WhatIf | null = null;
  #compareWith: number | null = null;
  #perAxis = false;
  #editing = false;
  #longFormula = false;
  #helpOpen = false;
  #textOpen = false;
  #copied = false;
  #put = false;
  #status = "";
  #width = 0;
  #focusGrid: GridPart | null = null;
  #restored: { settings: string; call: number } | null = null;
  #drawing = false;

  constructor(host: HTMLElement, runtime: LessonRuntime, kind: Kind) {
    this.#host = host;
    this.#root.className = "sv";
    host.replaceChildren(this.#root);
    this.#runtime = runtime;
    this.#kind = kind;
    this.#t = stringsFor(runtime.locale);
    this.#selection = { ...kind.start };
    this.#calls = new Calls(runtime);
    this.#questions = new Questions(runtime, () => this.#draw());
    this.#numbers = new NumberText(
      (values, dtype) => runtime.client.api.format(values, dtype),
      () => this.#draw(),
    );
    this.#player = new Player(
      () => this.#advance(),
      () => this.#draw(),
    );
    this.#restore();
    this.#listen();
    this.#draw();
  }

  /** Ends timers, listeners and subscriptions; the host's content stays as it is. */
  dispose(): void {
    this.#player.pause();
    this.#ending.abort();
  }

  get #cell(): string {
    return this.#host.dataset.of ?? "";
  }

  get #key(): string {
    return `${this.#cell}.${this.#host.dataset.op ?? this.#kind.name}`;
  }

  /** The record that is drawn: the what-if's where the engine accepted it, else the cell's own. */
  get #record(): OpRecord | null {
    return this.#answer?.ok ? this.#answer.record : this.#own;
  }

  #listen(): void {
    const { signal } = this.#ending;
    const stop = (unsubscribe: () => void) => signal.addEventListener("abort", unsubscribe);
    stop(this.#runtime.onRecords(this.#cell, (records) => this.#follow(records)));
    stop(
      this.#runtime.onCellState((cellId, state) => {
        if (cellId !== this.#cell) return;
        this.#busy = state === "running" || state === "queued";
        if (state === "done") this.#ran = true;
        this.#draw();
      }),
    );
    this.#host.addEventListener("keydown", (event) => this.#onKey(event), { signal });
    const watched = {
      hidden: () => this.#player.pause(),
      resized: (width: number) => {
        if (width === this.#width || width <= 0) return;
        this.#width = width;
        this.#draw();
      },
      themed: () => this.#draw(),
    };
    watch(this.#host, watched, signal);
  }

  /** A new run: keeps the place in the picture, drops every earlier answer. */
  async #follow(records: RecordSummary[]): Promise<void> {
    this.#calls.follow(records, this.#kind, this.#host.dataset.op);
    this.#ran = true;
    this.#put = false;
    if (this.#restored) this.#call = this.#restored.call;
    await this.#load(Math.min(this.#call, Math.max(0, this.#calls.count - 1)));
  }

  async #load(index: number): Promise<void> {
    this.#call = index;
    const summary = this.#calls.at(index);
    if (!summary) {
      this.#own = null;
      this.#draw();
      return;
    }
    const record = await this.#calls.fetch(index);
    if (this.#ending.signal.aborted || this.#calls.at(index) !== summary || this.#call !== index) return;
    this.#own = record;
    this.#gone = record === null;
    this.#forget();
    if (record) {
      const restored = this.#restored;
      this.#restored = null;
      this.#selection = this.#kind.fit(record, this.#selection);
      if (restored?.settings) await this.#tryOut(unpackSettings(restored.settings, settingsOf(record)), NO_EDITS);
    }
    this.#draw();
  }

  #forget(): void {
    this.#settings = null;
    this.#edits = NO_EDITS;
    this.#answer = null;
    this.#change = null;
    this.#compareWith = null;
    this.#questions.forget();
    this.#hovered = null;
    this.#copied = false;
  }

  /** Tries settings and numbers on the engine; its answer, or its refusal, is what is shown next. */
  async #tryOut(settings: Settings, edits: Edits): Promise<void> {
    const own = this.#own;
    if (!own) return;
    this.#settings = settings;
    this.#edits = edits;
    this.#copied = false;
    const change = changeOf(own, settings, edits);
    this.#change = change;
    this.#draw();
    const answer = change && (await this.#runtime.client.api.whatIf(change).catch((error: unknown) => refusal(error)));
    if (this.#change !== change || this.#own !== own || this.#ending.signal.aborted) return;
    this.#answer = answer;
    this.#questions.forget();
    this.#hovered = null;
    const record = this.#record;
    if (record) this.#selection = this.#kind.fit(record, this.#selection);
    this.#remember();
    this.#announce();
  }

  #select(patch: Partial<Selection>, from?: GridPart): void {
    const record = this.#record;
    if (!record) return;
    this.#player.pause();
    this.#hovered = null;
    this.#selection = this.#kind.fit(record, { ...this.#selection, ...patch });
    this.#followReader();
    this.#focusGrid = from ?? null;
    this.#remember();
    this.#announce();
  }

  /** While a pixel is inspected, the shown window is the one of its readers that `r` has reached. */
  #followReader(): void {
    const record = this.#record;
    if (!record || this.#selection.row === null) return;
    const readers = this.#kind.readers(record, this.#selection);
    const reader = readers[this.#selection.reader % Math.max(1, readers.length)];
    if (reader) this.#selection = { ...this.#selection, i: reader.i, j: reader.j };
  }

  #step(to: number): void {
    const record = this.#record;
    if (!record) return;
    this.#hovered = null;
    this.#selection = this.#kind.atStep(record, this.#selection, to);
    this.#remember();
  }

  #advance(): boolean {
    const record = this.#record;
    if (!record) return false;
    const step = this.#kind.stepOf(record, this.#selection);
    this.#step(step + 1);
    return step + 1 < this.#kind.steps(record, this.#selection);
  }

  #transport(action: "first" | "prev" | "play" | "next" | "last"): void {
    const record = this.#record;
    if (!record) return;
    const step = this.#kind.stepOf(record, this.#selection);
    const steps = this.#kind.steps(record, this.#selection);
    if (action === "play") {
      if (this.#player.playing) this.#player.pause();
      else if (steps > 1) {
        if (step >= steps) this.#step(1);
        this.#player.play();
      }
      return;
    }
    this.#player.pause();
    this.#step({ first: 1, prev: step - 1, next: step + 1, last: steps }[action]);
    this.#announce();
  }

  #announce(): void {
    const context = this.#context([]);
    if (context) this.#status = this.#kind.sentence(context);
    this.#draw();
  }

  #remember(): void {
    if (!this.#own) return;
    const selection = packSelection(this.#selection, this.#kind.start);
    const settings = this.#settings ? packSettings(this.#settings, settingsOf(this.#own)) : "";
    const hash = writeHash(location.hash, this.#key, `${this.#call}!${selection}!${settings}`);
    if (hash !== location.hash) history.replaceState(history.state, "", hash);
  }

  #restore(): void {
    const kept = readHash(location.hash, this.#key);
    if (kept === null) return;
    const [call = "0", selection = "", settings = ""] = kept.split("!");
    this.#selection = unpackSelection(selection, this.#kind.start, this.#kind.views);
    this.#restored = { settings, call: Number(call) || 0 };
  }

  #onKey(event: KeyboardEvent): void {
    const record = this.#record;
    if (!record) return;
    handleKey(event, {
      record,
      kind: this.#kind,
      selection: this.#selection,
      select: (patch, from) => this.#select(patch, from),
      transport: (action) => this.#transport(action),
      toggle: (what) => this.#toggle(what),
      leave: () => this.#leave(),
      enter: (place) => this.#typeInto(place),
      toggleCeil: () => {
        const settings = this.#settings ?? settingsOf(record);
        if (settings.op !== "conv2d") void this.#tryOut({ ...settings, ceilMode: !settings.ceilMode }, this.#edits);
      },
    });
  }

  #toggle(what: "text" | "formula" | "help"): void {
    if (what === "text") this.#textOpen = !this.#textOpen;
    else if (what === "help") this.#helpOpen = !this.#helpOpen;
    else this.#longFormula = !this.#longFormula;
    this.#draw();
  }

  #leave(): void {
    this.#player.pause();
    this.#helpOpen = false;
    this.#editing = false;
    if (this.#selection.row !== null) this.#select({ row: null, col: null }, "output");
    else this.#draw();
  }

  #typeInto(place: { part: string; row: string; col: string }): void {
    this.#editing = true;
    this.#draw();
    const field = this.#host.querySelector<HTMLInputElement>(
      `[data-part="${place.part}"] [data-row="${place.row}"][data-col="${place.col}"] input`,
    );
    field?.focus();
    field?.select();
  }

  #edit(part: "input" | "weight", index: number, value: number): void {
    const own = this.#own;
    const shown = this.#record;
    if (!own || !shown) return;
    const view = part === "input" ? shown.inputs.input : shown.op === "conv2d" ? shown.inputs.weight : null;
    if (!view) return;
    const numbers = Array.from(view.data);
    numbers[index] = value;
    void this.#tryOut(this.#settings ?? settingsOf(own), { ...this.#edits, [part]: numbers });
  }

  #context(paints: HeatPaint[]): Context | null {
    const own = this.#own;
    const record = this.#record;
    if (!own || !record) return null;
    const settings = this.#settings ?? settingsOf(own);
    const refused = this.#answer !== null && !this.#answer.ok;
    return {
      record,
      own,
      selection: this.#selection,
      shown: this.#hovered ? this.#kind.fit(record, { ...this.#selection, ...this.#hovered }) : this.#selection,
      hovering: this.#hovered !== null,
      lit: this.#lit,
      locale: this.#runtime.locale,
      t: this.#t,
      numbers: this.#numbers,
      width: this.#width || 640,
      whatIf: {
        settings,
        edits: this.#edits,
        answer: this.#answer,
        diagnosis: refused ? diagnose(own, settings) : null,
      },
      editing: this.#editing,
      longFormula: this.#longFormula,
      siblings: this.#calls.labels(this.#t).filter(({ index }) => index !== this.#call),
      compareWith: this.#compareWith,
      uid: this.#uid,
      select: (patch, from) => this.#select(patch, from),
      hover: (patch) => {
        const same = patch?.i === this.#hovered?.i && patch?.j === this.#hovered?.j;
        if (same || this.#player.playing) return;
        this.#hovered = patch;
        this.#draw();
      },
      light: (lit) => {
        if (lit?.u === this.#lit?.u && lit?.v === this.#lit?.v) return;
        this.#lit = lit;
        this.#draw();
      },
      step: (to) => this.#step(to),
      setCompare: (index) => {
        this.#compareWith = index;
        this.#draw();
      },
      toggleFormula: () => this.#toggle("formula"),
      edit: (part, index, value) => this.#edit(part, index, value),
      ask: (key, request) => this.#questions.ask(key, request),
      change: () => this.#change ?? { recordId: own.id, attrs: {}, values: {} },
      sibling: (index) =>
        this.#questions.ask(`sibling:${index}`, async () => {
          const other = await this.#calls.fetch(index);
          if (!other) throw new Error(this.#t.gone);
          return other;
        }),
      paint: (paint) => paints.push(paint),
    };
  }

  #actions(): FrameActions {
    return {
      chooseCall: (index) => {
        this.#player.pause();
        void this.#load(index).then(() => this.#remember());
      },
      chooseView: (view: View) => this.#select({ view, row: null, col: null, part: 0 }),
      toggleHelp: () => this.#toggle("help"),
      toggleText: () => this.#toggle("text"),
      transport: (action) => this.#transport(action),
      scrub: (step) => {
        this.#player.pause();
        this.#step(step);
        this.#announce();
      },
      setSpeed: (speed) => this.#player.setSpeed(speed),
      run: () => void this.#run(),
      change: (settings) => void this.#tryOut(settings, this.#edits),
      reset: () => {
        const own = this.#own;
        if (own) void this.#tryOut(settingsOf(own), NO_EDITS);
      },
      setPerAxis: (on) => {
        this.#perAxis = on;
        this.#draw();
      },
      setEditing: (on) => {
        this.#editing = on;
        this.#draw();
      },
      copy: (code) => {
        void navigator.clipboard?.writeText(code).then(
          () => {
            this.#copied = true;
            this.#draw();
          },
          // Without the permission the line is still there to be selected.
          () => undefined,
        );
      },
      put: (source) => {
        this.#runtime.setSource(this.#cell, source);
        this.#put = true;
        this.#draw();
      },
    };
  }

  async #run(): Promise<void> {
    this.#busy = true;
    this.#draw();
    try {
      await this.#runtime.runCell(this.#cell);
    } finally {
      this.#busy = false;
      this.#draw();
    }
  }

  #draw(): void {
    if (this.#ending.signal.aborted || this.#drawing) return;
    this.#drawing = true;
    try {
      this.#render();
    } finally {
      this.#drawing = false;
    }
  }

  #render(): void {
    const paints: HeatPaint[] = [];
    const context = this.#context(paints);
    this.#host.setAttribute("aria-busy", String(this.#numbers.pending || this.#busy));
    this.#host.setAttribute("role", "group");
    this.#host.setAttribute("aria-label", this.#t.figure(this.#host.dataset.op ?? this.#kind.name, this.#cell));
    if (!context) {
      this.#host.dataset.step = "0";
      this.#host.dataset.steps = "0";
      render(this.#emptyOrMessage(), this.#root);
      return;
    }
    const { record } = context;
    this.#host.dataset.step = String(this.#kind.stepOf(record, this.#selection));
    this.#host.dataset.steps = String(this.#kind.steps(record, this.#selection));
    this.#host.dataset.view = this.#selection.view;
    const cellState = this.#runtime.state(this.#cell);
    const code = this.#codeFor(context);
    render(
      frame(
        context,
        {
          kind: this.#kind,
          calls: this.#calls.labels(this.#t),
          call: this.#call,
          stale: cellState === "stale" || cellState === "idle",
          busy: this.#busy,
          playing: this.#player.playing,
          speed: this.#player.speed,
          helpOpen: this.#helpOpen,
          textOpen: this.#textOpen,
          status: this.#status,
          controls: { perAxis: this.#perAxis, ...code, copied: this.#copied, put: this.#put, cellId: this.#cell },
        },
        this.#actions(),
      ),
      this.#root,
    );
    paintHeatmaps(this.#host, paints, this.#painted);
    if (this.#focusGrid) followFocus(this.#host, this.#focusGrid);
    this.#focusGrid = null;
  }

  #codeFor(context: Context): { code: string | null; source: string | null } {
    const answer = this.#answer;
    if (!answer?.ok) return { code: null, source: null };
    const { settings, edits } = context.whatIf;
    const rewrite = rewriteCall(
      this.#runtime.source(this.#cell),
      context.own,
      settings,
      edits,
      settingsOf(context.own),
    );
    return rewrite ?? { code: answer.code, source: null };
  }

  #emptyOrMessage() {
    const op = this.#host.dataset.op ?? this.#kind.name;
    const button = {
      label: this.#busy ? this.#t.running : this.#t.run(this.#cell),
      busy: this.#busy,
      run: () => void this.#run(),
    };
    if (this.#gone) return message(this.#t.gone, button);
    const state = this.#runtime.state(this.#cell);
    if (this.#ran && this.#calls.count === 0 && state === "done")
      return message(this.#t.noRecords(op, this.#cell), button);
    return html`${emptyState(this.#t, op, this.#kind.name, button)}`;
  }
}
