/**
 * The kernel as one text: the worker's side and the engine in a single ES module, with the WebAssembly kernels inside, since
 * the worker can fetch nothing. The WebGPU backend is a text of its own, which the page hands in when it is wanted.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type BuildContext, type BuildOptions, context, type Plugin } from "esbuild";

const ENTRY = fileURLToPath(new URL("./worker/main.ts", import.meta.url));
/** The entry of the WebGPU backend's text. */
export const WEBGPU_ENTRY = fileURLToPath(new URL("../../engine/backends/webgpu/index.ts", import.meta.url));
const WASM_FOLDER = new URL("../../engine/backends/wasm/build/", import.meta.url);

/** `import { relaxed, simd } from "stride:wasm"`: bytes, or null where the kernels have not been compiled. */
const wasmBytes: Plugin = {
  name: "stride-wasm",
  setup(build) {
    build.onResolve({ filter: /^stride:wasm$/ }, () => ({ path: "wasm", namespace: "stride" }));
    build.onLoad({ filter: /.*/, namespace: "stride" }, () => {
      const paths = ["relaxed", "simd"].map((variant) =>
        fileURLToPath(new URL(`kernels-${variant}.wasm`, WASM_FOLDER)),
      );
      const encoded = (path: string) => (existsSync(path) ? readFileSync(path).toString("base64") : "");
      return {
        loader: "ts",
        watchFiles: paths.filter(existsSync),
        contents: `
          const decode = (text) => (text === "" ? null : Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
          export const relaxed = decode(${JSON.stringify(encoded(paths[0]!))});
          export const simd = decode(${JSON.stringify(encoded(paths[1]!))});`,
      };
    });
  },
};

/** The engine imports the WebGPU backend late; here it would import a file that is not there. The page's text is it. */
const webGpuApart: Plugin = {
  name: "stride-webgpu-apart",
  setup(build) {
    build.onResolve({ filter: /\/backends\/webgpu\/index\.ts$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "webgpu", namespace: "stride-apart" } : null,
    );
    build.onLoad({ filter: /.*/, namespace: "stride-apart" }, () => ({
      contents: "export const createWebGpuBackend = async () => null;",
    }));
  },
};

export interface KernelBundleOptions {
  minify: boolean;
  /** Another entry than Stride's worker: the WebGPU backend, or that of tests, which bring their own engine. */
  entry?: string;
}

function buildOptions({ minify, entry }: KernelBundleOptions): BuildOptions {
  return {
    entryPoints: [entry ?? ENTRY],
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify,
    // Error classes and modules print their names.
    keepNames: true,
    legalComments: "none",
    logLevel: "silent",
    plugins: [wasmBytes, webGpuApart],
    // Frames of the kernel must not show the blob's address.
    footer: { js: `//# sourceURL=stride-${entry === WEBGPU_ENTRY ? "webgpu" : "kernel"}.js` },
  };
}

/** Rebuilds as often as asked, reading only what has changed. */
export class KernelBundler {
  private readonly options: KernelBundleOptions;
  private context: Promise<BuildContext> | null = null;

  constructor(options: KernelBundleOptions) {
    this.options = options;
  }

  /** @throws Error with the file and line of what does not compile. */
  async text(): Promise<string> {
    this.context ??= context(buildOptions(this.options));
    const { outputFiles } = await (await this.context).rebuild();
    return outputFiles![0]!.text;
  }

  async dispose(): Promise<void> {
    await (await this.context)?.dispose();
    this.context = null;
  }
}

/** A text, once. */
export async function bundleKernel(options: KernelBundleOptions): Promise<string> {
  const bundler = new KernelBundler(options);
  try {
    return await bundler.text();
  } finally {
    await bundler.dispose();
  }
}
