/** What PyTorch tells through Python's `warnings`: the call works, but likely not as meant. */

const told = new Set<string>();

/** Writes `UserWarning: message` where the host shows warnings. */
export function warn(message: string, category = "UserWarning"): void {
  console.warn(`${category}: ${message}`);
}

/** As `warn`, but each message once: for calls that a loop repeats. */
export function warnOnce(message: string, category = "UserWarning"): void {
  if (told.has(message)) return;
  told.add(message);
  warn(message, category);
}
