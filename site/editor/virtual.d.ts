declare module "virtual:stride-types" {
  /** Address of the engine's type declarations as JSON: path below node_modules → text. */
  export const typesUrl: string;
}
