/** The engine room of a lesson: session, kernel and outputs put together. Loaded with the first run or edit. */
import { kernelUrl, webGpuUrl } from "virtual:stride-kernel";
import type { RecordSummary } from "../../engine/inspect/records.ts";
import { loadPictures, needsPictures } from "../data/datasets.ts";
import { createKernelClient, KernelGoneError, kernelFromUrl } from "../kernel/client.ts";
import type { DeviceName, DeviceRefusal, KernelEvent, RunResult } from "../kernel/protocol.ts";
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
  #device: DeviceName = "cpu";

  constructor(lesson: StrideLesson) {
    this.#lesson = lesson;
    const client = createKernelClient(kernelFromUrl(kernelUrl, webGpuUrl));
    client.addEventListener("state", () => lesson.bar.kernel(client.state));
    client.addEventListener("refused", (event) => this.#refused((event as CustomEvent<DeviceRefusal>).detail));
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

  /** Moves later work to another device. Where that is refused the bar says why. */
  async setDevice(device: DeviceName): Promise<void> {
    const { client } = this.session;
    this.#lesson.bar.clearNotice();
    this.#device = device;
    this.session.changeDevice();
    try {
      await this.#configure();
      // Whether there is a GPU shows when somebody asks for it.
      if (device === "webgpu" && client.state !== "dead") await client.start();
    } catch (error) {
      // A kernel that ended on the way: the next one is told by the client.
      if (error instanceof KernelGoneError) return;
      this.#stayOnCpu();
      await this.#configure().catch(() => {});
      this.#lesson.bar.sayLoadFailed(error as Error, () => {
        this.#lesson.bar.device(device);
        void this.setDevice(device);
      });
    }
  }

  #refused(why: DeviceRefusal): void {
    const { bar, t } = this.#lesson;
    this.#stayOnCpu();
    if (why === "absent") bar.notice(t.lesson.webgpuRefused);
    else
      bar.notice(t.lesson.webgpuLost, [
        { label: t.lesson.restart, primary: true, run: () => void this.#lesson.restart() },
      ]);
  }

  #stayOnCpu(): void {
    this.#device = "cpu";
    this.#lesson.bar.device("cpu");
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
      leavesOut: (id) => {
        const out = lesson.model.cell(id).spec.device === "webgpu" && !lesson.bar.hasGpu;
        if (out) lesson.cellElement(id)?.note(lesson.t.cell.needsGpu);
        return out;
      },
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
