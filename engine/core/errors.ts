/**
 * The engine's exceptions, named as Python names them, with PyTorch's wording. Where a beginner's next step is known,
 * one line "hint: …" follows the message.
 */

export interface ErrorDetails {
  /** A next step, shown after the message as "hint: …". */
  hint?: string;
  /** The shapes that met, for messages about shapes. */
  shapes?: readonly (readonly number[])[];
}

function withHint(message: string, details: ErrorDetails): string {
  return details.hint ? `${message}\nhint: ${details.hint}` : message;
}

/** What PyTorch raises when an operation cannot be done with these tensors. */
export class RuntimeError extends Error {
  readonly shapes: readonly (readonly number[])[] | null;

  constructor(message: string, details: ErrorDetails = {}) {
    super(withHint(message, details));
    this.name = "RuntimeError";
    this.shapes = details.shapes ?? null;
  }
}

/** An argument of the right type with an impossible value. */
export class ValueError extends Error {
  readonly shapes: readonly (readonly number[])[] | null;

  constructor(message: string, details: ErrorDetails = {}) {
    super(withHint(message, details));
    this.name = "ValueError";
    this.shapes = details.shapes ?? null;
  }
}

/** An index or dimension out of range. */
export class IndexError extends Error {
  constructor(message: string, details: ErrorDetails = {}) {
    super(withHint(message, details));
    this.name = "IndexError";
  }
}

/** A missing key of a dictionary-like object. */
export class KeyError extends Error {
  constructor(message: string, details: ErrorDetails = {}) {
    super(withHint(message, details));
    this.name = "KeyError";
  }
}

/** A name that an object does not have. */
export class AttributeError extends Error {
  constructor(message: string, details: ErrorDetails = {}) {
    super(withHint(message, details));
    this.name = "AttributeError";
  }
}

/** Something PyTorch has and this combination of arguments does not support. */
export class NotImplementedError extends Error {
  constructor(message: string, details: ErrorDetails = {}) {
    super(withHint(message, details));
    this.name = "NotImplementedError";
  }
}

/** What Python's `assert` raises: a condition that a call has to meet. */
export class AssertionError extends Error {
  constructor(message: string, details: ErrorDetails = {}) {
    super(withHint(message, details));
    this.name = "AssertionError";
  }
}

/** An argument of the wrong type; also an instance of JavaScript's own TypeError. */
export class TypeError extends globalThis.TypeError {
  constructor(message: string, details: ErrorDetails = {}) {
    super(withHint(message, details));
    this.name = "TypeError";
  }
}
