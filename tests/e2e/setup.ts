/**
 * Builds the site once for all browser tests, those of WebGPU included, below a base path as on a project's page, and serves
 * it. While writing tests STRIDE_E2E_SITE saves the build: a folder that is built already (with the same base), or the
 * address of a running dev server.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { type StaticSite, serveFolder } from "./server.ts";

export const BASE = "/courses/stride/";
const root = fileURLToPath(new URL("../../", import.meta.url));

declare module "vitest" {
  interface ProvidedContext {
    /** Address of the built site, ending in "/". */
    site: string;
  }
}

/** Two projects need the site, each with its own copy of this module: the first one that asks makes it. */
const shared = globalThis as { strideTestSite?: { site: Promise<StaticSite>; users: number } };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.STRIDE_E2E_SITE;
  if (given !== undefined && URL.canParse(given) && /^https?:/.test(given)) {
    project.provide("site", given);
    return async () => {};
  }
  shared.strideTestSite ??= { site: prepare(given), users: 0 };
  const { strideTestSite } = shared;
  strideTestSite.users++;
  const { url, close } = await strideTestSite.site;
  project.provide("site", url);
  return async () => {
    if (--strideTestSite.users > 0) return;
    delete shared.strideTestSite;
    await close();
  };
}

async function prepare(given: string | undefined): Promise<StaticSite> {
  const folder = given ?? `${root}.cache/e2e-site`;
  if (given === undefined) build(folder);
  return serveFolder(folder, BASE);
}

function build(folder: string): void {
  const started = performance.now();
  const env = { ...process.env, STRIDE_BASE: BASE, STRIDE_OUT: folder, NODE_ENV: "production" };
  const { status, stdout, stderr } = spawnSync("npm", ["run", "build"], {
    cwd: root,
    env,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`the site does not build:\n${stdout}\n${stderr}`);
  console.log(`built the site in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}
