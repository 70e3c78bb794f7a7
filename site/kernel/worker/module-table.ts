/**
 * The modules that cells import. Cells are real ES modules, and what they import must be one too: for each namespace of the
 * engine a small text is made that takes its values from a global for one moment, under a name nobody can guess, and exports
 * them.
 */
import { nearest } from "../../lesson/nearest.ts";

export interface ModuleHost {
  createModule(text: string, name: string): string;
  importModule(url: string): Promise<Record<string, unknown>>;
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const globals = globalThis as unknown as Record<string, unknown>;

export class ModuleTable {
  readonly names: readonly string[];
  private readonly namespaces: Record<string, object>;
  private readonly host: ModuleHost;
  private readonly urls = new Map<string, string>();
  private readonly exported = new Map<string, string[]>();

  constructor(namespaces: Record<string, object>, host: ModuleHost) {
    this.namespaces = namespaces;
    this.host = host;
    this.names = Object.keys(namespaces);
  }

  async prepare(): Promise<void> {
    await Promise.all(
      this.names.map(async (name) => {
        const namespace = this.namespaces[name] as Record<string, unknown>;
        const exports = Object.keys(namespace).filter((key) => IDENTIFIER.test(key));
        this.exported.set(name, exports);
        this.urls.set(name, await this.handOver(Object.fromEntries(exports.map((key) => [key, namespace[key]]))));
      }),
    );
  }

  /** @throws TypeError for a module of the course that this engine does not have. */
  url(name: string): string {
    const url = this.urls.get(name);
    if (!url) throw new TypeError(`no module named "${name}"`);
    return url;
  }

  exportsOf(name: string): readonly string[] {
    return this.exported.get(name) ?? [];
  }

  /** A module that exports these values; returns its URL. It has been evaluated when this returns. */
  async handOver(values: Record<string, unknown>): Promise<string> {
    const key = `stride-${crypto.randomUUID()}`;
    Object.defineProperty(globals, key, { value: values, configurable: true });
    const names = Object.keys(values);
    const url = this.host.createModule(
      `const values = globalThis[${JSON.stringify(key)}];\n` +
        names.map((name, i) => `const v${i} = values.${name};\n`).join("") +
        `export { ${names.map((name, i) => `v${i} as ${name}`).join(", ")} };`,
      "kernel",
    );
    try {
      await this.host.importModule(url);
    } finally {
      Reflect.deleteProperty(globals, key);
    }
    return url;
  }

  /** `await import("torch")` of a cell. */
  async load(name: string): Promise<unknown> {
    const url = this.urls.get(name);
    if (url) return this.host.importModule(url);
    const close = nearest(name, this.names);
    const list = this.names.map((it) => `"${it}"`).join(", ");
    throw new TypeError(
      `no module named "${name}"\nhint: ${close ? `did you mean "${close}"?` : `known modules: ${list}`}`,
    );
  }
}
