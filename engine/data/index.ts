/** "torch/utils/data" */
export { type Collated, defaultCollate, defaultConvert } from "./collate.ts";
export {
  ConcatDataset,
  Dataset,
  type DatasetLike,
  IterableDataset,
  randomSplit,
  Subset,
  TensorDataset,
} from "./dataset.ts";
export { DataLoader, type DataLoaderOptions } from "./loader.ts";
export {
  BatchSampler,
  RandomSampler,
  Sampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from "./sampler.ts";
