import { describe, expect, test } from "vitest";
import type { ConvRecord, PoolRecord } from "../../../engine/inspect/records.ts";
import { CONV_START, CONV_VIEWS } from "../../../site/visualizers/conv2d/state.ts";
import { stringsFor } from "../../../site/visualizers/i18n.ts";
import { rewriteCall } from "../../../site/visualizers/shell/code.ts";
import { NumberText, provisional } from "../../../site/visualizers/shell/format.ts";
import { readHash, writeHash } from "../../../site/visualizers/shell/hash.ts";
import { Player } from "../../../site/visualizers/shell/player.ts";
import { moveByKey, packSelection, unpackSelection } from "../../../site/visualizers/shell/selection.ts";
import { agrees } from "../../../site/visualizers/shell/tensor.ts";
import {
  changeOf,
  diagnose,
  NO_EDITS,
  packSettings,
  type Settings,
  settingsOf,
  unpackSettings,
} from "../../../site/visualizers/shell/whatif.ts";
import { fixtures } from "./fixtures.ts";

const [conv] = fixtures<ConvRecord>("seed");
const [layer] = fixtures<ConvRecord>("layer");
const [pool] = fixtures<PoolRecord>("seedPool");

describe("a what-if", () => {
  test("is nothing while the settings are the record's own", () => {
    expect(changeOf(conv!, settingsOf(conv!), NO_EDITS)).toBeNull();
  });

  test("hands the engine what its own call would be given", () => {
    expect(changeOf(conv!, { ...settingsOf(conv!), stride: [2, 2] }, NO_EDITS)).toEqual({
      recordId: conv!.id,
      attrs: { stride: [2, 2], padding: [0, 0], dilation: [1, 1], groups: 1 },
      values: {},
    });
  });

  test("cuts the kernel, or adds zeros to it, when its size is changed", () => {
    const bigger = changeOf(conv!, { ...settingsOf(conv!), kernel: [3, 4] }, NO_EDITS)!.values.weight!;
    expect(bigger).toEqual({ shape: [1, 1, 3, 4], data: [1, 2, 1, 0, 0, 1, 0, 0, 2, 1, 0, 0] });
    expect(changeOf(conv!, { ...settingsOf(conv!), kernel: [2, 2] }, NO_EDITS)!.values.weight!.data).toEqual([
      1, 2, 0, 1,
    ]);
  });

  test("an average has no dilation and a maximum no divisor", () => {
    const attrs = changeOf(pool!, { ...settingsOf(pool!), op: "avg_pool2d" }, NO_EDITS)!.attrs;
    expect(Object.keys(attrs).sort()).toEqual([
      "ceilMode",
      "countIncludePad",
      "divisorOverride",
      "kernelSize",
      "padding",
      "stride",
    ]);
    expect(attrs.stride).toBeNull();
  });
});

describe("after a refusal one legal neighbour is suggested", () => {
  const of = (record: ConvRecord | PoolRecord, patch: Partial<Settings>) =>
    diagnose(record, { ...settingsOf(record), ...patch });

  test("a kernel larger than the padded input gets the padding that makes it fit", () => {
    expect(of(conv!, { kernel: [7, 7] })).toMatchObject({
      trouble: { kind: "kernel-too-big", padded: 5, effective: 7 },
      suggestion: { padding: [1, 1] },
    });
  });

  test("a pooling window larger than the input is cut to it", () => {
    expect(of(pool!, { kernel: [7, 7] })?.suggestion.kernel).toEqual([5, 5]);
  });

  test("padding above half the effective kernel comes down to half", () => {
    expect(of(pool!, { padding: [2, 2] })).toMatchObject({
      trouble: { kind: "padding-too-big" },
      suggestion: { padding: [1, 1] },
    });
  });

  test("groups, same with a stride, zero strides and negative padding", () => {
    expect(of(layer!, { groups: 2 })?.suggestion.groups).toBe(1);
    expect(of(conv!, { padding: "same", stride: [2, 2] })?.suggestion.stride).toEqual([1, 1]);
    expect(of(conv!, { stride: [0, 1] })?.suggestion.stride).toEqual([1, 1]);
    expect(of(conv!, { padding: [-1, 0] })?.suggestion.padding).toEqual([0, 0]);
  });

  test("legal settings have nothing to diagnose", () => {
    expect(of(conv!, { stride: [2, 2], padding: [1, 1] })).toBeNull();
  });
});

describe("the line of code", () => {
  const source = "const input = 1;\n\n\n\n\n\nprint(F.conv2d(input, kernel, { stride: 1 }));\n";
  const rewrite = (patch: Partial<Settings>, edits = NO_EDITS) =>
    rewriteCall(source, conv!, { ...settingsOf(conv!), ...patch }, edits, settingsOf(conv!));

  test("keeps the learner's names and changes only what was tried", () => {
    expect(rewrite({ stride: [2, 2], padding: [1, 0] })?.code).toBe(
      "F.conv2d(input, kernel, { stride: 2, padding: [1, 0] })",
    );
    expect(rewrite({ stride: [2, 2] })?.source).toBe(source.replace("stride: 1", "stride: 2"));
    expect(rewrite({ padding: "same" })?.code).toBe('F.conv2d(input, kernel, { stride: 1, padding: "same" })');
  });

  test("writes typed numbers out", () => {
    expect(rewrite({}, { input: null, weight: [9, 2, 1, 0, 1, 0, 2, 1, 0] })?.code).toBe(
      "F.conv2d(input, torch.tensor([[[[9, 2, 1], [0, 1, 0], [2, 1, 0]]]]), { stride: 1 })",
    );
  });

  test("finds the layer's construction when the call is a module's", () => {
    const text = "const m = new nn.MaxPool2d(3, { ceilMode: true });\nprint(m(input));\n";
    const own = settingsOf(pool!);
    expect(rewriteCall(text, pool!, { ...own, ceilMode: false }, NO_EDITS, own)?.code).toBe(
      "new nn.MaxPool2d(3, { ceilMode: false })",
    );
    expect(rewriteCall(text, pool!, { ...own, op: "avg_pool2d" }, NO_EDITS, own)?.code).toBe(
      "new nn.AvgPool2d(3, { ceilMode: true })",
    );
    expect(rewriteCall("print(model(input));", pool!, own, NO_EDITS, own)).toBeNull();
  });
});

describe("the address", () => {
  test("keeps a selection and settings, and every other part of the hash", () => {
    const selection = { ...CONV_START, view: "size" as const, i: 2, row: 0, col: 3, flip: true };
    expect(unpackSelection(packSelection(selection, CONV_START), CONV_START, CONV_VIEWS)).toEqual(selection);
    const settings: Settings = { ...settingsOf(conv!), stride: [2, 1], padding: "same" };
    expect(unpackSettings(packSettings(settings, settingsOf(conv!)), settingsOf(conv!))).toEqual(settings);
    const hash = writeHash("#code=abc", "first-conv.conv2d", "0!size!s2_1");
    expect(readHash(hash, "first-conv.conv2d")).toBe("0!size!s2_1");
    expect(writeHash(hash, "first-conv.conv2d", "1!!")).toMatch(/^#code=abc&v\.first-conv\.conv2d=/);
    expect(readHash("#other", "first-conv.conv2d")).toBeNull();
  });

  test("nonsense in the address is left out", () => {
    expect(unpackSelection("nowhere~i~xx9~n2", CONV_START, CONV_VIEWS)).toEqual({ ...CONV_START, n: 2 });
  });
});

describe("numbers", () => {
  test("integers as integers, floats as the engine's formatter answers, a dead kernel notwithstanding", async () => {
    let drawn = 0;
    const numbers = new NumberText(
      async () => [" 1.5000"],
      () => drawn++,
    );
    expect(numbers.one(3, "int64")).toBe("3");
    numbers.one(1.5, "float32");
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect([numbers.one(1.5, "float32"), drawn, numbers.pending]).toEqual(["1.5000", 1, false]);
    const dead = new NumberText(
      () => Promise.reject(new Error("gone")),
      () => undefined,
    );
    expect(dead.one(0.25, "float32")).toBe("0.2500");
  });

  test("stand-ins follow PyTorch's choice of precision", () => {
    expect(provisional([1, 2, -3])).toEqual(["1.", "2.", "-3."]);
    expect(provisional([0.5, 12])).toEqual(["0.5000", "12.0000"]);
    expect(provisional([1e-5, 1])).toEqual(["1.0000e-05", "1.0000e+00"]);
    expect(provisional([Number.NaN, Number.NEGATIVE_INFINITY, 1])).toEqual(["nan", "-inf", "1."]);
  });

  test("integers must be equal, floats may differ by rounding", () => {
    expect(agrees(10, 11, 1e9, true)).toBe(false);
    expect(agrees(1, 1.0000001, 3, false)).toBe(true);
    expect(agrees(Number.NaN, Number.NaN, 0, true)).toBe(true);
  });
});

test("the player has one timer while it plays and none after the last step or a pause", async () => {
  let left = 2;
  const player = new Player(
    () => --left > 0,
    () => undefined,
  );
  player.setSpeed(400);
  expect(player.playing).toBe(false);
  player.play();
  expect(player.playing).toBe(true);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect([left, player.playing]).toEqual([0, false]);
  player.play();
  player.pause();
  expect(player.playing).toBe(false);
});

test("keys of the grid pattern move and stop at the edges", () => {
  expect(moveByKey("ArrowLeft", false, 1, 0, 3, 4)).toEqual({ row: 1, col: 0 });
  expect(moveByKey("End", true, 0, 0, 3, 4)).toEqual({ row: 2, col: 3 });
  expect(moveByKey("x", false, 0, 0, 3, 4)).toBeNull();
});

test("sentences in both languages carry the same numbers", () => {
  const p = {
    at: "0,0,1,1",
    value: "16",
    rows: [1, 3] as [number, number],
    cols: [1, 3] as [number, number],
    products: 9,
    channels: 1,
    bias: null,
    padded: 0,
    dilated: false,
  };
  expect(stringsFor("en").convSentence(p)).toBe(
    "Output[0,0,1,1] is 16: rows 1–3, columns 1–3, nine products, no padding.",
  );
  expect(stringsFor("zh-cn").convSentence(p)).toBe(
    "输出[0,0,1,1] = 16：窗口在第 1–3 行、第 1–3 列，9 个乘积之和，无偏置，无填充。",
  );
});
