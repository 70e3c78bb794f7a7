/**
 * The generators' seeds and states. https://docs.pytorch.org/docs/2.13/random.html
 */
import { uint8 } from "../core/dtype.ts";
import { TypeError, ValueError } from "../core/errors.ts";
import { defaultGenerator, Generator } from "../core/random.ts";
import { Storage } from "../core/storage.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";

/** Starts the random numbers anew: the same seed gives the same numbers, and PyTorch's. Returns the generator. */
export function manualSeed(seed: number | bigint): Generator {
  if (seed === undefined) throw new TypeError("manual_seed() missing 1 required positional argument: 'seed'");
  if (typeof seed === "string") throw new ValueError(`invalid literal for int() with base 10: '${String(seed)}'`);
  // As Python's int(): a fraction is cut off.
  return defaultGenerator.manualSeed(typeof seed === "number" ? Math.trunc(seed) : seed);
}

/** Seeds from the machine's entropy and returns the seed. */
export function seed(): number {
  return defaultGenerator.seed();
}

/** The seed that was set last. */
export function initialSeed(): number | bigint {
  return defaultGenerator.initialSeed();
}

/** The state of the generator that `manualSeed` seeds: a uint8 tensor of PyTorch's 5056 bytes. */
export function getRngState(): Tensor {
  return stateOf(defaultGenerator);
}

/** Goes back to a state that `getRngState` gave. */
export function setRngState(state: Tensor): void {
  restore(defaultGenerator, state);
}

function stateOf(generator: Generator): Tensor {
  const bytes = generator.stateBytes();
  return new Tensor(new Storage(uint8, bytes), [bytes.length]);
}

function restore(generator: Generator, state: Tensor): Generator {
  if (!(state instanceof Tensor)) {
    throw new TypeError(`expected a torch.ByteTensor, but got ${pythonTypeName(state)}`);
  }
  if (state.dtype !== uint8) throw new TypeError("RNG state must be a torch.ByteTensor");
  return generator.restoreBytes(state.denseData() as Uint8Array);
}

Object.defineProperties(Generator.prototype, {
  getState: {
    value(this: Generator) {
      return stateOf(this);
    },
  },
  setState: {
    value(this: Generator, state: Tensor) {
      return restore(this, state);
    },
  },
  cloneState: {
    value(this: Generator) {
      return new Generator(this.device).restoreBytes(this.stateBytes());
    },
  },
});

declare module "../core/generator.ts" {
  interface Generator {
    /** The state: a uint8 tensor of PyTorch's 5056 bytes. */
    getState(): Tensor;
    /** Goes on from a state that `getState` gave. @throws TypeError for anything but a uint8 tensor; RuntimeError for no state */
    setState(state: Tensor): Generator;
    /** Another generator that will draw the same numbers. */
    cloneState(): Generator;
  }
}

/** Numbers drawn in `body`, or until the end of the block, leave the stream outside as it was. */
export interface ForkOptions {
  /** False: does nothing. Default true. */
  enabled?: boolean;
}

/**
 * Runs `body` and then goes on as if it had drawn nothing: `torch.random.forkRng(() => …)`, or
 * `using _ = torch.random.forkRng()` for the rest of a block.
 * https://docs.pytorch.org/docs/2.13/random.html#torch.random.fork_rng
 */
export function forkRng<T>(body: () => T, options?: ForkOptions): T;
export function forkRng(options?: ForkOptions): Disposable;
export function forkRng<T>(body?: (() => T) | ForkOptions, options: ForkOptions = {}): T | Disposable {
  const { enabled = true } = typeof body === "function" ? options : (body ?? {});
  const state = defaultGenerator.stateBytes();
  const goBack = () => {
    if (enabled) defaultGenerator.restoreBytes(state);
  };
  if (typeof body !== "function") return { [Symbol.dispose]: goBack };
  let result: T;
  try {
    result = body();
  } catch (error) {
    goBack();
    throw error;
  }
  if (result instanceof Promise) return result.finally(goBack) as T;
  goBack();
  return result;
}
