/** Lessons on WebGPU: the switch of the bar, and cells that say "webgpu" themselves. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { messages } from "../../site/i18n/index.ts";
import { sameOutput } from "../../site/lesson/same-output.ts";
import { launchBrowser } from "../e2e/browser.ts";
import { type LessonPage, LOCALES, openLesson, readLesson, SLUGS } from "../e2e/lesson-page.ts";
import { View } from "../e2e/visualizer-page.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser({ webgpu: true });
});
afterAll(() => browser?.close());

const PAGES = LOCALES.flatMap((locale) => SLUGS.map((slug) => ({ locale, slug })));

async function onPage(slug: string, use: (lesson: LessonPage) => Promise<void>, options = {}): Promise<void> {
  const lesson = await openLesson(browser, slug, options);
  try {
    await use(lesson);
  } finally {
    await lesson.close();
  }
}

describe.each(PAGES)("$locale $slug", ({ locale, slug }) => {
  test("prints on WebGPU what PyTorch printed", async () => {
    await onPage(
      slug,
      async (lesson) => {
        await lesson.chooseDevice("webgpu");
        await lesson.runAll();
        const { cells } = readLesson(slug, locale);
        for (const { id, output, tol } of cells) {
          if (output === null) continue;
          const printed = await lesson.text(id);
          if (tol === null) expect(printed.replace(/\n$/, ""), id).toBe(output.replace(/\n$/, ""));
          else expect(sameOutput(printed, output, tol), `${id} printed\n${printed}not\n${output}`).toBe(true);
        }
        if (slug === "02-convolution") await seesConvolutions(lesson);
        if (slug === "03-pooling") await seesPoolings(lesson);
        const last = cells.at(-1)!.id;
        await lesson.writeAndRun(last, 'import * as torch from "torch";\nprint(torch.webgpu.maxMemoryAllocated() > 0)');
        expect(await lesson.text(last)).toBe("True\n");
        expect(lesson.complaints).toEqual([]);
      },
      { locale },
    );
  });
});

/** The recorded call, a control that asks the engine anew, and the gradients. */
async function seesConvolutions(lesson: LessonPage): Promise<void> {
  const view = await View.open(lesson, "first-conv", "conv2d");
  expect((await view.read()).grids.output!.plane).toEqual([
    [10, 12, 12],
    [18, 16, 16],
    [13, 9, 3],
  ]);
  await view.set("stride", "2");
  expect((await view.read()).grids.output!.plane).toEqual([
    [10, 12],
    [13, 3],
  ]);
  await view.choose("backward");
  expect(Object.keys((await view.read()).grids).length).toBeGreaterThan(2);
}

async function seesPoolings(lesson: LessonPage): Promise<void> {
  const view = await View.open(lesson, "first-pool", "max_pool2d");
  expect((await view.read()).grids.output!.plane).toEqual([
    [2, 3],
    [5, 1],
  ]);
  await view.set("stride", "1");
  expect((await view.read()).grids.output!.plane).toEqual([
    [2, 3, 3],
    [5, 3, 3],
    [5, 3, 3],
  ]);
}

test("a cell that says webgpu gets it while the lesson stays on the CPU, and its text says where a tensor is", async () => {
  await onPage("01-module", async (lesson) => {
    const source = `import * as torch from "torch";
print(torch.webgpu.isAvailable(), torch.webgpu.deviceCount());
const x = torch.tensor([1, 2, 3]).to("webgpu");
print(x.mul(2));
print(x.mul(2).sum().item(), torch.ones(2, { device: "webgpu" }).add(1).tolist(), torch.ones(1).device.type);
print(torch.webgpu.memorySummary());
x.add(1)`;
    expect(await lesson.writeAndRun("add-one", source)).toBe("done");
    const lines = (await lesson.text("add-one")).split("\n");
    expect(lines.slice(0, 3)).toEqual(["True 1", "tensor([2, 4, 6], device='webgpu:0')", "12 [2.0, 2.0] cpu"]);
    expect(lines[3]).toMatch(/^held by tensors +[\d.]+ MB in \d+$/);
    const shown = lesson.cell("add-one").locator('[data-output="tensor"]');
    expect(await shown.textContent()).toMatch(/webgpu/);
    expect(await lesson.device().inputValue()).toBe("cpu");
    // The same after a restart: the new kernel gets the backend, too.
    await lesson.bar("restart").click();
    await lesson.waitForState("add-one", "stale");
    expect(await lesson.run("add-one")).toBe("done");
    expect(lesson.complaints).toEqual([]);
  });
});

test("nothing of WebGPU is loaded for who stays on the CPU, and choosing it makes what ran out of date", async () => {
  await onPage("01-module", async (lesson) => {
    const asked: string[] = [];
    lesson.page.on("request", (request) => asked.push(request.url()));
    const backend = () => asked.filter((url) => /webgpu[^/]*\.js/.test(url)).length;
    expect(await lesson.run("add-one")).toBe("done");
    expect(backend()).toBe(0);
    await lesson.chooseDevice("webgpu");
    await lesson.waitForState("add-one", "stale");
    const said = lesson.cell("add-one").locator('[data-part="state"]');
    expect(await said.textContent()).toContain(messages("en").cell.staleDevice);
    expect(await lesson.run("add-one")).toBe("done");
    // A new kernel is on the same device, and the backend is not fetched again.
    await lesson.bar("restart").click();
    await lesson.waitForState("add-one", "stale");
    const source = `import * as torch from "torch";\nprint(torch.ones(1).device.type)`;
    expect(await lesson.writeAndRun("add-one", source)).toBe("done");
    expect(await lesson.text("add-one")).toBe("webgpu\n");
    expect(backend()).toBe(1);
  });
});

test("where the backend cannot be fetched the page says so, and the CPU runs the lesson", async () => {
  await onPage("01-module", async (lesson) => {
    const fetched = /webgpu[^/]*\.js/;
    await lesson.page.route(fetched, (route) => route.abort());
    await lesson.device().selectOption("webgpu");
    const again = lesson.notice().getByRole("button");
    await again.waitFor();
    expect(await lesson.device().inputValue()).toBe("cpu");
    expect(await lesson.run("add-one")).toBe("done");
    await lesson.page.unroute(fetched);
    await lesson.device().selectOption("webgpu");
    await lesson.waitForState("add-one", "stale");
    expect(await lesson.run("add-one")).toBe("done");
    expect(await lesson.device().inputValue()).toBe("webgpu");
  });
});

test("an operation that only the CPU has says so in the cell, and works", async () => {
  await onPage("01-module", async (lesson) => {
    await lesson.chooseDevice("webgpu");
    const source = `import * as torch from "torch";
print(torch.sort(torch.tensor([3, 1, 2]).add(0))[0]);`;
    expect(await lesson.writeAndRun("add-one", source)).toBe("done");
    expect(await lesson.text("add-one")).toBe("tensor([1, 2, 3])\n");
    expect(await lesson.warnings("add-one")).toContain("sort runs on the CPU");
  });
});

/** A linear model on batches of a loader, for ever; `each` is put into the loop. */
const training = (each: string) => `import * as torch from "torch";
import { nn, optim, utils } from "torch";
const data = new utils.data.TensorDataset(torch.randn(64, 8), torch.randn(64, 1));
const loader = new utils.data.DataLoader(data, { batchSize: 8, shuffle: true });
const model = new nn.Linear(8, 1);
const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
let step = 0;
for (;;) {
  for await (const [x, y] of loader) {
    optimizer.zeroGrad();
    const loss = model(x).sub(y).pow(2).mean();
    loss.backward();
    optimizer.step();
    step++;
    if (step === 10) print(loss.item() > 0, loss.device.type);
    ${each}
  }
}`;

test("Stop ends a training on the GPU at its next batch, and the names of other cells stay", async () => {
  await onPage("01-module", async (lesson) => {
    await lesson.chooseDevice("webgpu");
    await lesson.writeAndRun("add-one", `import * as torch from "torch";\nconst kept = torch.ones(2);`);
    const field = await lesson.write("dtypes", training(""));
    await field.press("Escape");
    await lesson.action("dtypes", "run").click();
    await lesson.cell("dtypes").getByText("True webgpu").waitFor();
    await lesson.bar("stop").click();
    await lesson.waitForState("dtypes", "stopped");
    await lesson.writeAndRun("call-or-forward", "print(kept)");
    expect(await lesson.text("call-or-forward")).toBe("tensor([1., 1.])\n");
    expect(await lesson.state("add-one")).toBe("done");
  });
});

/** Keeps the device that the engine is given where a later cell can destroy it, as a driver does that is reset. */
const TAKE_DEVICE = `const { gpu } = navigator;
const requestAdapter = async (options) => {
  const adapter = await gpu.requestAdapter(options);
  const requestDevice = async (wanted) => (globalThis.taken = await adapter.requestDevice(wanted));
  return { limits: adapter.limits, features: adapter.features, requestDevice };
};
const getPreferredCanvasFormat = () => gpu.getPreferredCanvasFormat();
Object.defineProperty(navigator, "gpu", { configurable: true, value: { requestAdapter, getPreferredCanvasFormat } });`;

test("a device that is lost in mid-training is an error of that cell; the CPU goes on at once, and a restart brings the GPU back", async () => {
  await onPage("01-module", async (lesson) => {
    await lesson.writeAndRun("add-one", TAKE_DEVICE);
    await lesson.chooseDevice("webgpu");
    const source = training("if (step === 12) globalThis.taken.destroy();");
    expect(await lesson.writeAndRun("dtypes", source)).toBe("error");
    expect(await lesson.text("dtypes")).toBe("True webgpu\n");
    const said = await lesson.error("dtypes");
    expect(said).toContain("RuntimeError");
    expect(said).toContain("the WebGPU device was lost");
    expect(said).toContain("restart the kernel to use WebGPU again, or go on with device cpu");
    // What asks for the GPU again is told the same, and so is who chooses it.
    const small = `import * as torch from "torch";\nprint(torch.ones(2).add(1))`;
    expect(await lesson.writeAndRun("call-or-forward", small)).toBe("error");
    expect(await lesson.error("call-or-forward")).toContain("the WebGPU device was lost");
    await lesson.device().selectOption("cpu");
    expect(await lesson.run("call-or-forward")).toBe("done");
    expect(await lesson.text("call-or-forward")).toBe("tensor([2., 2.])\n");
    const ended = source.replace("for (;;) {", "for (; step < 20; ) {").replace(/if \(step === 12\).*/, "");
    expect(await lesson.writeAndRun("dtypes", ended)).toBe("done");
    expect(await lesson.text("dtypes")).toBe("True cpu\n");
    await lesson.device().selectOption("webgpu");
    await lesson.notice().getByText(messages("en").lesson.webgpuLost).waitFor();
    expect(await lesson.device().inputValue()).toBe("cpu");
    await lesson.notice().getByRole("button").click();
    await lesson.waitForState("call-or-forward", "stale");
    await lesson.chooseDevice("webgpu");
    expect(await lesson.run("call-or-forward")).toBe("done");
    expect(await lesson.text("call-or-forward")).toBe("tensor([2., 2.])\n");
    expect(lesson.complaints).toEqual([]);
  });
});

describe("without an adapter", () => {
  let plain: Browser;
  beforeAll(async () => {
    plain = await launchBrowser();
  });
  afterAll(() => plain?.close());

  test.each(LOCALES)("the switch says so and cells run as ever (%s)", async (locale) => {
    const lesson = await openLesson(plain, "01-module", { locale });
    try {
      const option = lesson.device().locator('option[value="webgpu"]');
      await lesson.page.waitForFunction(
        () => document.querySelector<HTMLOptionElement>('option[value="webgpu"]')?.disabled === true,
      );
      expect(await option.textContent()).toBe(messages(locale).lesson.webgpuAbsent);
      const source = `import * as torch from "torch";
print(torch.webgpu.isAvailable(), torch.webgpu.deviceCount());
torch.ones(2).to("webgpu")`;
      expect(await lesson.writeAndRun("add-one", source)).toBe("error");
      expect(await lesson.text("add-one")).toBe("False 0\n");
      const said = await lesson.error("add-one");
      expect(said).toContain("WebGPU is not available");
      expect(said).toContain("torch.webgpu.isAvailable()");
      expect(await lesson.writeAndRun("add-one", `import * as torch from "torch";\nprint(torch.ones(2))`)).toBe("done");
      expect(lesson.complaints).toEqual([]);
    } finally {
      await lesson.close();
    }
  });

  test("who chooses WebGPU before the browser has answered is told why not, and the switch goes back", async () => {
    // The page believes in a GPU that the kernel then does not get.
    const before = () => Object.defineProperty(navigator, "gpu", { value: { requestAdapter: async () => ({}) } });
    const lesson = await openLesson(plain, "01-module", { before });
    try {
      await lesson.device().selectOption("webgpu");
      await lesson.notice().getByText(messages("en").lesson.webgpuRefused).waitFor();
      expect(await lesson.device().inputValue()).toBe("cpu");
      expect(await lesson.run("add-one")).toBe("done");
    } finally {
      await lesson.close();
    }
  });
});
