declare module "virtual:stride-data" {
  /** The stand-in's drawings, about half a megabyte. */
  export const atlasUrl: string;
  /** Manifest of the CIFAR-10 files that this site serves, or null. */
  export const cifar10: string | null;
}
