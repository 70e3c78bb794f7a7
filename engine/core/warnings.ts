/** What PyTorch tells through Python's `warnings`: the call works, but likely not as meant. */

/** Writes `UserWarning: message` where the host shows warnings. */
export function warn(message: string, category = "UserWarning"): void {
  console.warn(`${category}: ${message}`);
}
