/** Memory over thousands of steps, measured in a process of its own. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, expect, test } from "vitest";

let growth: Record<string, number>;

beforeAll(() => {
  const script = fileURLToPath(new URL("./growth.ts", import.meta.url));
  const { stdout, stderr } = spawnSync(process.execPath, ["--expose-gc", script], { encoding: "utf8" });
  expect(stderr).toBe("");
  growth = JSON.parse(stdout);
}, 180_000);

test.each(["sum", "sum made before the sweep", "weighted sum", "moving average", "sum in place"])(
  "a %s of losses, kept with its history, does not grow",
  (name) => {
    expect(growth[name]).toBeLessThan(60);
  },
);

test("what follows large tensors does not pile up in a loop that never yields", () => {
  expect(growth["large tensors in a loop that never yields"]).toBeLessThan(30);
});
