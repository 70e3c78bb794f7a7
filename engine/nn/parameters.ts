/** torch.nn.parameter. https://docs.pytorch.org/docs/2.13/nn.html#parameters */
export { Buffer, type BufferOptions, Parameter, type ParameterOptions } from "./parameter.ts";
export { isLazy, UninitializedBuffer, type UninitializedOptions, UninitializedParameter } from "./uninitialized.ts";
