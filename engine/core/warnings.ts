/**
 * What PyTorch tells through Python's `warnings`: the call works, but likely not as meant. Each text is told once, as
 * Python tells it once for each place.
 */

export type WarningSink = (text: string) => void;

const consoleSink: WarningSink = (text) => console.warn(text);

let sink = consoleSink;
const told = new Set<string>();

/** Sends warnings to `write` (null: back to the console) and forgets which ones have been told. */
export function setWarningSink(write: WarningSink | null): void {
  sink = write ?? consoleSink;
  told.clear();
}

/** Writes `UserWarning: message` where the host shows warnings, the first time only. */
export function warn(message: string, category = "UserWarning"): void {
  const text = `${category}: ${message}`;
  if (told.has(text)) return;
  told.add(text);
  sink(text);
}
