/**
 * The TypeScript service of the editor: Monaco's own, but that a cell's file ends in the hidden suffix of cell-files.ts, and
 * that nothing is reported from inside the suffix.
 */
import { initialize } from "monaco-editor/internal/common/initialize";
import { TypeScriptWorker } from "monaco-editor/languages/features/typescript/tsWorker";
import { type Flow, type FlowCell, readFlow } from "../../lesson/dataflow.ts";
import { cellOfFile, EXERCISE_FROM, suffixes } from "./cell-files.ts";

interface MirrorModel {
  uri: { toString(skipEncoding?: boolean): string };
  version: number;
  getValue(): string;
}

interface WorkerContext {
  getMirrorModels(): MirrorModel[];
}

interface TsDiagnostic {
  start?: number;
}

class CellWorker extends TypeScriptWorker {
  readonly #context: WorkerContext;
  #flow: Flow | undefined;
  #stamp = "";
  #suffixes = new Map<string, string>();

  constructor(context: WorkerContext, createData: unknown) {
    super(context, createData);
    this.#context = context;
  }

  #models(): MirrorModel[] {
    return this.#context.getMirrorModels().filter((model) => cellOfFile(model.uri.toString(true)) !== null);
  }

  /** Reads the flow of the cells anew when one of them has changed. */
  #suffix(file: string): string | null {
    if (cellOfFile(file) === null) return null;
    const models = this.#models();
    const stamp = models.map((model) => `${model.uri.toString(true)}@${model.version}`).join();
    if (stamp !== this.#stamp) {
      this.#stamp = stamp;
      const ordered = models
        .map((model) => ({ model, file: model.uri.toString(true), ...cellOfFile(model.uri.toString(true))! }))
        .sort((a, b) => a.index - b.index);
      const cells: FlowCell[] = ordered.map(({ id, index, model }) => ({
        id,
        source: model.getValue(),
        publishes: index < EXERCISE_FROM,
      }));
      this.#flow = readFlow(cells, this.#flow);
      this.#suffixes = suffixes(this.#flow, new Map(ordered.map(({ id, file: name }) => [id, name])));
    }
    return this.#suffixes.get(file) ?? null;
  }

  override _getScriptText(file: string): string | undefined {
    const text = super._getScriptText(file);
    const suffix = text === undefined ? null : this.#suffix(file);
    return suffix === null ? text : text + suffix;
  }

  override getScriptVersion(file: string): string {
    // The suffix changes with other cells; a file whose version stands still would not be read again.
    return super.getScriptVersion(file) + (this.#suffix(file) ?? "");
  }

  #ownLength(file: string): number {
    return (
      this.#models()
        .find((model) => model.uri.toString(true) === file)
        ?.getValue().length ?? Number.POSITIVE_INFINITY
    );
  }

  #inText<T extends TsDiagnostic>(file: string, diagnostics: T[]): T[] {
    const length = this.#ownLength(file);
    return diagnostics.filter(({ start }) => start === undefined || start < length);
  }

  override async getSyntacticDiagnostics(file: string): Promise<TsDiagnostic[]> {
    return this.#inText(file, await super.getSyntacticDiagnostics(file));
  }

  override async getSemanticDiagnostics(file: string): Promise<TsDiagnostic[]> {
    return this.#inText(file, await super.getSemanticDiagnostics(file));
  }

  override async getSuggestionDiagnostics(file: string): Promise<TsDiagnostic[]> {
    return this.#inText(file, await super.getSuggestionDiagnostics(file));
  }
}

self.onmessage = () => {
  initialize((context: WorkerContext, createData: unknown) => new CellWorker(context, createData));
};
