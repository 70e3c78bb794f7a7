/** Watching backward for NaN. https://docs.pytorch.org/docs/2.13/autograd.html#anomaly-detection */
import type { GradModeScope } from "./mode.ts";

interface Anomaly {
  enabled: boolean;
  checkNan: boolean;
}

let current: Anomaly = { enabled: false, checkNan: false };

/** What backward is to watch for. @internal */
export function anomalyMode(): Anomaly {
  return current;
}

export interface AnomalyOptions {
  /** Whether a gradient that is NaN is an error that names the node which made it. Default true. */
  checkNan?: boolean;
}

/** Watches from here on, or not; `using _ = setDetectAnomaly(true)` until the end of a block. */
export function setDetectAnomaly(mode: boolean, options: AnomalyOptions = {}): GradModeScope {
  const before = current;
  current = { enabled: mode, checkNan: mode && (options.checkNan ?? true) };
  return {
    [Symbol.dispose]() {
      current = before;
    },
  };
}

/** Watches while `body` runs, or until the end of a block: `using _ = torch.autograd.detectAnomaly()`. */
export function detectAnomaly<T>(body: () => T, options?: AnomalyOptions): T;
export function detectAnomaly(options?: AnomalyOptions): GradModeScope;
export function detectAnomaly<T>(
  bodyOrOptions: (() => T) | AnomalyOptions = {},
  options: AnomalyOptions = {},
): T | GradModeScope {
  if (typeof bodyOrOptions !== "function") return setDetectAnomaly(true, bodyOrOptions);
  // Not by `using` itself, which not every browser knows.
  const scope = setDetectAnomaly(true, options);
  try {
    return bodyOrOptions();
  } finally {
    scope[Symbol.dispose]();
  }
}
