/** What PyTorch tells as a warning, in its words; each text once. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { setWarningSink, warn } from "../../engine/core/warnings.ts";
import * as F from "../../engine/nn/functional.ts";
import * as nn from "../../engine/nn/index.ts";
import * as torch from "../../engine/torch.ts";

let told: string[] = [];
beforeEach(() => {
  told = [];
  setWarningSink((text) => told.push(text));
});
afterEach(() => setWarningSink(null));

const BROADCAST =
  "UserWarning: Using a target size (torch.Size([2, 3])) that is different to the input size (torch.Size([2, 1])). This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size.";

test("a text is told once, and again to another sink", () => {
  warn("be careful");
  warn("be careful");
  warn("be careful", "FutureWarning");
  expect(told).toEqual(["UserWarning: be careful", "FutureWarning: be careful"]);
  const others: string[] = [];
  setWarningSink((text) => others.push(text));
  warn("be careful");
  expect(others).toEqual(["UserWarning: be careful"]);
});

test.each([
  ["mse_loss", F.mseLoss],
  ["l1_loss", F.l1Loss],
  ["smooth_l1_loss", F.smoothL1Loss],
  ["huber_loss", F.huberLoss],
])("%s warns of a target that broadcasts", (_, loss) => {
  loss(torch.ones(2, 1), torch.ones(2, 3));
  expect(told).toEqual([BROADCAST]);
});

test("size_average and reduce still say how to reduce", () => {
  const [x, y] = [torch.tensor([1, 2.5]), torch.tensor([0.5, 4])];
  expect(F.l1Loss(x, y, { sizeAverage: false }).item()).toBe(2);
  expect(F.mseLoss(x, y, { reduce: false }).tolist()).toEqual([0.25, 2.25]);
  expect(new nn.L1Loss({ sizeAverage: true })(x, y).item()).toBe(1);
  const instead = (reduction: string) =>
    `UserWarning: size_average and reduce args will be deprecated, please use reduction='${reduction}' instead.`;
  expect(told).toEqual([instead("sum"), instead("none"), instead("mean")]);
});

test("softmax without a dim takes what the oldest versions meant", () => {
  expect(F.softmax(torch.ones(2, 4)).tolist()).toEqual(F.softmax(torch.ones(2, 4), 1).tolist());
  expect(String(new nn.LogSoftmax())).toBe("LogSoftmax(dim=None)");
  new nn.LogSoftmax()(torch.ones(3));
  const implicit = (name: string) =>
    `UserWarning: Implicit dimension choice for ${name} has been deprecated. Change the call to include dim=X as an argument.`;
  expect(told).toEqual([implicit("softmax"), implicit("log_softmax")]);
});

test("kl_div warns of the mean that is none, and a batch mean does not", () => {
  const logs = torch.log(torch.tensor([[0.25, 0.75]]));
  F.klDiv(logs, torch.tensor([[0.5, 0.5]]), { reduction: "batchmean" });
  expect(told).toEqual([]);
  F.klDiv(logs, torch.tensor([[0.5, 0.5]]));
  expect(told[0]).toMatch(/^UserWarning: reduction: 'mean' divides the total loss by both/);
});

test("an even kernel that keeps the size warns of the copy it may need", () => {
  F.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 3), { padding: "same" });
  expect(told).toEqual([]);
  F.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 2), { padding: "same" });
  expect(told[0]).toMatch(/^UserWarning: Using padding='same' with even kernel lengths and odd dilation/);
});
