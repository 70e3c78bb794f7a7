/** Records of operations on another device: watching must not hold up what is watched. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { onDevice, WEBGPU } from "../../engine/core/device.ts";
import { setWarningSink } from "../../engine/core/warnings.ts";
import { snapshot } from "../../engine/inspect/index.ts";
import { float32, tensor } from "../../engine/torch.ts";
import { type FakeDevice, removeFakeDevice, useFakeDevice } from "./fake-accelerator.ts";

let device: FakeDevice;
const warnings: string[] = [];
beforeEach(() => {
  device = useFakeDevice();
  warnings.length = 0;
  setWarningSink((text) => warnings.push(text));
});
afterEach(() => {
  setWarningSink(null);
  removeFakeDevice();
});

it("keeps what the tensor was, and fetches it once, when somebody looks", () => {
  const x = tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { dtype: float32, device: "cpu" },
  ).to("webgpu");
  const view = snapshot(x.t());
  expect(device.fetches).toEqual([]);
  x.set([0, 0], 100);
  const before = device.fetches.length;
  const looked = onDevice(WEBGPU, "max_pool2d", () => [...view.data]);
  expect(looked).toEqual([1, 4, 2, 5, 3, 6]);
  expect([...structuredClone(view).data]).toEqual([1, 4, 2, 5, 3, 6]);
  expect(device.fetches.length).toBe(before + 1);
  expect(warnings.filter((text) => text.includes("max_pool2d"))).toEqual([]);
});
