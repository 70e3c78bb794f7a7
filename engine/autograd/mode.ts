/** Whether operations are being recorded for backward. https://docs.pytorch.org/docs/2.13/notes/autograd.html#locally-disabling-gradient-computation */

interface Mode {
  grad: boolean;
  inference: boolean;
}

let mode: Mode = { grad: true, inference: false };

/** Whether operations on tensors that require gradients are being recorded for backward. */
export function isGradEnabled(): boolean {
  return mode.grad;
}

/** As isGradEnabled, where inference mode allows it at all. @internal */
export function recordsGradients(): boolean {
  return mode.grad && !mode.inference;
}

/** Whether tensors are being made that autograd will never see. */
export function isInferenceModeEnabled(): boolean {
  return mode.inference;
}

/** A mode that is entered by calling it with a body, or by `using _ = torch.noGrad()` until the end of the block. */
export interface GradModeScope extends Disposable {
  /** Puts back the mode from before. */
  [Symbol.dispose](): void;
}

function within<T>(inside: Mode, body: () => T): T {
  const before = mode;
  mode = inside;
  let result: T;
  try {
    result = body();
  } catch (error) {
    mode = before;
    throw error;
  }
  if (result instanceof Promise) {
    // The mode holds until the asynchronous body is done, as a `with` block would.
    return result.finally(() => {
      mode = before;
    }) as T;
  }
  mode = before;
  return result;
}

function enter(inside: Mode): GradModeScope {
  const before = mode;
  mode = inside;
  return {
    [Symbol.dispose]() {
      mode = before;
    },
  };
}

function modeGuard(inside: (before: Mode) => Mode) {
  function guard<T>(body: () => T): T;
  function guard(): GradModeScope;
  function guard<T>(body?: () => T): T | GradModeScope {
    return body ? within(inside(mode), body) : enter(inside(mode));
  }
  return guard;
}

/** Runs `body` without recording gradients: `torch.noGrad(() => …)`, or `using _ = torch.noGrad()` for the rest of a block. */
export const noGrad = modeGuard(({ inference }) => ({ grad: false, inference }));

/** Records gradients inside `noGrad`: `torch.enableGrad(() => …)`. Inside `inferenceMode` nothing is recorded all the same. */
export const enableGrad = modeGuard(({ inference }) => ({ grad: true, inference }));

/**
 * Records gradients or not, from here on, or inside `body` only; `using _ = torch.setGradEnabled(false)` until the end of
 * a block. https://docs.pytorch.org/docs/2.13/generated/torch.autograd.grad_mode.set_grad_enabled.html
 */
export function setGradEnabled<T>(enabled: boolean, body: () => T): T;
export function setGradEnabled(enabled: boolean): GradModeScope;
export function setGradEnabled<T>(enabled: boolean, body?: () => T): T | GradModeScope {
  const inside = { grad: enabled, inference: mode.inference };
  return body ? within(inside, body) : enter(inside);
}

export interface InferenceModeOptions {
  /** Whether it is inference mode that is entered; false leaves it. Default true. */
  mode?: boolean;
}

/**
 * As `noGrad`, and tensors made inside stay out of autograd for good: they can't be saved for backward, nor changed in
 * place outside. https://docs.pytorch.org/docs/2.13/generated/torch.autograd.grad_mode.inference_mode.html
 */
export function inferenceMode<T>(body: () => T, options?: InferenceModeOptions): T;
export function inferenceMode(options?: InferenceModeOptions): GradModeScope;
export function inferenceMode<T>(
  bodyOrOptions: (() => T) | InferenceModeOptions = {},
  options: InferenceModeOptions = {},
): T | GradModeScope {
  const body = typeof bodyOrOptions === "function" ? bodyOrOptions : null;
  const inference = (typeof bodyOrOptions === "function" ? options : bodyOrOptions).mode ?? true;
  const inside = { grad: !inference, inference };
  return body ? within(inside, body) : enter(inside);
}
