/** Transforms are called as functions, `toTensor(picture)`, as their Python namesakes are through `__call__`. */

/** What every instance can do: be called, which calls its `forward`. */
export interface Callable<A extends unknown[], R> {
  (...args: A): R;
  forward(...args: A): R;
}

/** Base class whose instances are functions. Subclasses define `forward`. */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the constructor returns a function, so the interface is true.
export abstract class Callable<A extends unknown[], R> {
  constructor() {
    const instance = ((...args: A) => instance.forward(...args)) as Callable<A, R>;
    Object.setPrototypeOf(instance, new.target.prototype);
    // A function's own name and length would hide a subclass's.
    Reflect.deleteProperty(instance, "name");
    Reflect.deleteProperty(instance, "length");
    // biome-ignore lint/correctness/noConstructorReturn: that the instance is a function is the point of this class.
    return instance;
  }
}
