/** `torch.random`: the generator that `manualSeed` seeds. https://docs.pytorch.org/docs/2.13/random.html */
export { forkRng, getRngState, initialSeed, manualSeed, seed, setRngState } from "./ops/generator.ts";
