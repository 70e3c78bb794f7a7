/** Whether operations are being recorded for backward. https://docs.pytorch.org/docs/2.13/notes/autograd.html#locally-disabling-gradient-computation */

let enabled = true;

export function isGradEnabled(): boolean {
  return enabled;
}

export function setGradEnabled(mode: boolean): void {
  enabled = mode;
}

function withMode<T>(mode: boolean, body: () => T): T {
  const before = enabled;
  enabled = mode;
  let result: T;
  try {
    result = body();
  } catch (error) {
    enabled = before;
    throw error;
  }
  if (result instanceof Promise) {
    // The mode holds until the asynchronous body is done, as a `with` block would.
    return result.finally(() => {
      enabled = before;
    }) as T;
  }
  enabled = before;
  return result;
}

/** A mode that is entered by calling it with a body, or by `using _ = torch.noGrad()` until the end of the block. */
export interface GradModeScope extends Disposable {
  [Symbol.dispose](): void;
}

function modeGuard(mode: boolean) {
  function guard<T>(body: () => T): T;
  function guard(): GradModeScope;
  function guard<T>(body?: () => T): T | GradModeScope {
    if (body) return withMode(mode, body);
    const before = enabled;
    enabled = mode;
    return {
      [Symbol.dispose]() {
        enabled = before;
      },
    };
  }
  return guard;
}

/** Runs `body` without recording gradients: `torch.noGrad(() => …)`, or `using _ = torch.noGrad()` for the rest of a block. */
export const noGrad = modeGuard(false);

/** Records gradients inside `noGrad`: `torch.enableGrad(() => …)`. */
export const enableGrad = modeGuard(true);

/** As `noGrad`; this engine keeps no further bookkeeping that could be left out. */
export const inferenceMode = modeGuard(false);
