/** The engine room of a lesson: session, kernel and outputs put together. Loaded with the first run or edit. */
import { kernelUrl } from "virtual:stride-kernel";
import type { RecordSummary } from "../../engine/inspect/records.ts";
import { loadPictures, needsPictures } from "../data/datasets.ts";
import { createKernelClient, kernelFromUrl } from "../kernel/client.ts";
import type { KernelEvent, RunResult } from "../kernel/protocol.ts";
import { sameOutput } from "../lesson/same-output.ts";
import { OutputView } from "../outputs/output-view.ts";
import type { StrideLesson } from "./lesson.ts";
import { Session, type SessionHooks } from "./session.ts";

/** Bytes that tensors may take: a quarter of what the machine says it has, and no less than half a gigabyte. */
function memoryBudget(): number {
  const gigabytes = (navigator as { deviceMemory?: number }).deviceMemory ?? 4;
  return Math.max(0.5, gigabytes / 4) * 2 ** 30;
}

export class Room {
  readonly session: Session;
  readonly #lesson: StrideLesson;
  readonly #records = new Map<string, RecordSummary[]>();
  readonly #running = new Map<string, RecordSummary[]>();
  #device: "cpu" | "webgpu" = "cpu";

  constructor(lesson: StrideLesson) {
    this.#lesson = lesson;
    const client = createKernelClient(kernelFromUrl(kernelUrl));
    client.addEventListener("state", () => lesson.bar.kernel(client.state));
    this.session = new Session(lesson.model, client, this.#hooks());
    void this.#configure();
  }

  recordsOf(cellId: string): RecordSummary[] | undefined {
    return this.#records.get(cellId);
  }

  async stop(): Promise<void> {
    const { killed } = await this.session.stop();
    if (!killed) this.#lesson.bar.notice(this.#lesson.t.lesson.interrupted);
  }

  /** Moves later work to another device; a refusal is shown and the old one stays. */
  async setDevice(device: "cpu" | "webgpu"): Promise<void> {
    const before = this.#device;
    this.#device = device;
    try {
      await this.#configure();
    } catch (error) {
      this.#device = before;
      this.#lesson.bar.device(before);
      this.#lesson.bar.notice((error as Error).message);
    }
  }

  async #configure(): Promise<void> {
    await this.session.client.api.configure({
      seed: this.#lesson.lesson.frontMatter.seed,
      device: this.#device,
      memoryBudget: memoryBudget(),
    });
  }

  #hooks(): SessionHooks {
    const lesson = this.#lesson;
    const t = lesson.t.lesson;
    return {
      event: (event) => this.#event(event),
      prepare: async (sources) => {
        if (sources.some(needsPictures)) lesson.bar.dataset(await loadPictures(this.session.client));
      },
      begin: (id) => {
        lesson.bar.clearNotice();
        this.#running.set(id, []);
        lesson.clearBoard(id);
        lesson.cellElement(id)?.begin(OutputView);
      },
      end: (id, result) => this.#end(id, result),
      confirmLong: (id) => lesson.bar.ask(t.longRun(id), t.longRunYes, t.longRunNo),
      needed: (id, first) => lesson.cellElement(id)?.note(lesson.t.cell.needed(first.join(", "))),
      unmet: (id, failed) => ({
        state: failed ? "error" : "stopped",
        ms: 0,
        verdicts: null,
        error: failed
          ? { name: "Error", message: lesson.t.cell.unmet(id), hint: null, frames: [], shapes: null, definedIn: null }
          : null,
      }),
      lost: (ids, how) => {
        const again = { label: t.runAgain, primary: true, run: () => void lesson.runCells(ids) };
        if (how === "crash") {
          lesson.bar.notice(t.dead, [{ label: t.restartNow, primary: true, run: () => void lesson.restart() }]);
        } else if (how === "stop") {
          lesson.bar.notice(
            ids.length === 0 ? t.killedNone : t.killed(ids.join(", ")),
            ids.length === 0 ? [] : [again],
          );
        } else lesson.bar.clearNotice();
      },
      failed: (error) =>
        lesson.bar.notice(t.loadFailed(error.message), [
          { label: t.tryAgain, primary: true, run: () => void lesson.restart() },
        ]),
    };
  }

  #event(event: KernelEvent): void {
    if (event.type === "record") {
      this.#running.get(event.record.cellId)?.push(event.record);
      return;
    }
    if (event.type === "tensorboard") {
      this.#lesson.tellBoard(event.cellId, event.event);
      return;
    }
    const view = this.#lesson.cellElement(event.cellId)?.view;
    if (event.type === "output") view?.item(event.item);
    else if (event.type === "append") view?.append(event.id, event.text, event.tensors);
  }

  #end(id: string, result: RunResult): void {
    const lesson = this.#lesson;
    const cell = lesson.cellElement(id);
    cell?.end(result, result.state === "done" ? this.#same(id, cell.view?.text ?? "") : null);
    if (result.state === "done") void lesson.keepRun(id);
    const records = this.#running.get(id) ?? [];
    this.#running.delete(id);
    this.#records.set(id, records);
    lesson.tellRecords(id, records);
  }

  /** Whether the lesson's own text printed what PyTorch printed; null where the student changed something on the way. */
  #same(id: string, printed: string): boolean | null {
    const { spec, source, starter } = this.#lesson.model.cell(id);
    if (spec.output === null || source !== starter) return null;
    const flow = this.session.flow();
    const above = new Set(flow.cells.get(id)?.needs ?? []);
    for (const need of above) {
      const one = this.#lesson.model.cell(need);
      if (one.source !== one.starter) return null;
      for (const further of flow.cells.get(need)?.needs ?? []) above.add(further);
    }
    return sameOutput(printed, spec.output, spec.tol);
  }
}

export function openRoom(lesson: StrideLesson): Room {
  return new Room(lesson);
}
