/** What a cell has by name without importing it: `print`, `show`, `tqdm`, `console`, timers and the words of checks. */
import type { CellOutput } from "./cell-output.ts";
import { type CheckList, close, equal, shapeOf } from "./checks.ts";
import { itemOf, shownItemOf } from "./display.ts";
import type { Engine } from "./engine.ts";
import type { KernelHost } from "./kernel.ts";
import { Tqdm, type TqdmOptions } from "./tqdm.ts";

/** How these names reach the run that they are used in. */
export interface CellContext {
  /** Writes to the run that is going on, on the given stream. */
  within(stream: "stdout" | "stderr", write: () => void): void;
  output(): CellOutput;
  /** A callback whose output and errors belong to the cell that has set it. */
  callback(callback: unknown, values: unknown[]): () => void;
  checkStop(): void;
  barOpened(change: 1 | -1): void;
}

export function cellNames(
  engine: Engine,
  host: KernelHost,
  checks: CheckList,
  context: CellContext,
): Record<string, unknown> {
  const print = (...values: unknown[]): void => context.within("stdout", () => engine.print(...values));
  const complain = (...values: unknown[]): void => context.within("stderr", () => engine.print(...values));
  return {
    print,
    show: (value: unknown, options: { label?: string } = {}): void =>
      context.within("stdout", () => {
        context.output().add(shownItemOf(value, String(options.label ?? ""), engine));
      }),
    tqdm: (source: Iterable<unknown> | AsyncIterable<unknown> | number, options: TqdmOptions = {}) => {
      const output = context.output();
      return new Tqdm(source, options, {
        add: (item) => output.add(item),
        update: (id, item) => output.update(id, item),
        now: () => host.now(),
        wallTime: () => host.wallTime(),
        pause: () => host.pause(),
        checkStop: () => context.checkStop(),
        opened: (change) => context.barOpened(change),
      });
    },
    console: cellConsole(print, complain, host, (value) =>
      context.within("stdout", () => {
        context.output().add(itemOf(value, engine));
      }),
    ),
    test: checks.test,
    equal,
    close,
    shapeOf,
    setTimeout: (callback: unknown, ms = 0, ...values: unknown[]) =>
      host.setTimeout(context.callback(callback, values), Number(ms)),
    setInterval: (callback: unknown, ms = 0, ...values: unknown[]) =>
      host.setInterval(context.callback(callback, values), Number(ms)),
    queueMicrotask: (callback: unknown) => host.queueMicrotask(context.callback(callback, [])),
  };
}

type Write = (...values: unknown[]) => void;

function cellConsole(print: Write, complain: Write, host: KernelHost, table: (value: unknown) => void) {
  const timers = new Map<unknown, number>();
  const counts = new Map<unknown, number>();
  return {
    log: print,
    info: print,
    debug: print,
    dir: (value: unknown) => print(value),
    table,
    warn: complain,
    error: complain,
    trace: complain,
    assert: (condition: unknown, ...values: unknown[]) => {
      if (!condition) complain("Assertion failed:", ...values);
    },
    group: print,
    groupCollapsed: print,
    groupEnd: () => {},
    time: (label: unknown = "default") => void timers.set(label, host.now()),
    timeEnd: (label: unknown = "default") => {
      const began = timers.get(label);
      if (began !== undefined) print(`${String(label)}: ${(host.now() - began).toFixed(1)} ms`);
      timers.delete(label);
    },
    count: (label: unknown = "default") => {
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      print(`${String(label)}: ${count}`);
    },
  };
}
