/** What outlives a reload, and a page that goes on working where the browser, the network or the kernel gives way. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "./browser.ts";
import { changed, type LessonPage, type OpenOptions, openLesson, readLesson, specOf } from "./lesson-page.ts";

const words = readLesson("02-convolution");
const strided = changed(specOf(words, "first-conv"), "stride: 1", "stride: 2");

let browser: Browser;
let lesson: LessonPage;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterEach(() => lesson?.close());
afterAll(() => browser?.close());

async function open(options: OpenOptions = {}): Promise<void> {
  lesson = await openLesson(browser, "02-convolution", options);
}

/** Waits until the browser's own database holds this text for the cell. */
async function saved(cell: string, source: string | null): Promise<void> {
  await lesson.page.waitForFunction(
    async ([key, wanted]) => {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open("stride");
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      const work = await new Promise<{ source: string } | undefined>((resolve) => {
        const request = database.transaction("work").objectStore("work").get(key!);
        request.onsuccess = () => resolve(request.result);
      });
      database.close();
      return (work?.source ?? null) === wanted;
    },
    [`nn/02-convolution/${cell}`, source] as const,
    { polling: 100 },
  );
}

test("an edit is there after a reload, runs only when asked, and goes with Reset", async () => {
  await open();
  await lesson.run("no-batch");
  await lesson.write("first-conv", strided);
  await saved("first-conv", strided);
  await lesson.reload();
  await lesson.cell("first-conv").locator("xpath=self::*[@data-edited]").waitFor();
  expect(await lesson.code("first-conv")).toBe(strided);
  expect(await lesson.page.locator("stride-lesson").getAttribute("data-kernel")).toBe("idle");
  // One of the cells was run on the visit before.
  const progress = lesson.page.locator('[data-part="bar"] [data-part="progress-full"]');
  expect(await progress.textContent()).toBe(`1 of ${words.cells.length} cells run`);
  expect(await lesson.run("first-conv")).toBe("done");
  expect(await lesson.text("first-conv")).toContain("tensor([[[[10, 12],\n          [13,  3]]]])");

  await lesson.action("first-conv", "reset").click();
  await saved("first-conv", null);
  await lesson.reload();
  expect(await lesson.code("first-conv")).toBe(specOf(words, "first-conv").source);
  expect(lesson.complaints).toEqual([]);
});

test("where the author has changed a cell since, the student is asked and nothing is overwritten", async () => {
  await open();
  await lesson.write("first-conv", strided);
  await saved("first-conv", strided);
  // As if the lesson's text had been another one when the student began.
  await lesson.page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("stride");
      request.onsuccess = () => resolve(request.result);
    });
    const store = database.transaction("work", "readwrite").objectStore("work");
    const request = store.get("nn/02-convolution/first-conv");
    await new Promise<void>((resolve) => {
      request.onsuccess = () => {
        store.put({ ...request.result, starter: "older" }, "nn/02-convolution/first-conv").onsuccess = () => resolve();
      };
    });
    database.close();
  });
  await lesson.reload();
  const conflict = lesson.cell("first-conv").locator('[data-part="conflict"]');
  await conflict.waitFor();
  expect(await lesson.code("first-conv")).toBe(specOf(words, "first-conv").source);
  const [mine, , compare] = [0, 1, 2].map((at) => conflict.locator(":scope > button").nth(at));
  await compare!.click();
  await conflict.locator(".compare").waitFor();
  expect(await conflict.locator(".compare").textContent()).toContain("stride: 2");
  await mine!.click();
  expect(await lesson.code("first-conv")).toBe(strided);
  expect(await conflict.count()).toBe(0);
});

test("with all storage blocked the page reads, edits and runs, and says that nothing is kept", async () => {
  await open({
    before: () => {
      const refuse = () => {
        throw new DOMException("The operation is insecure.", "SecurityError");
      };
      for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches"])
        Object.defineProperty(window, name, { get: refuse, configurable: true });
    },
  });
  await lesson.write("first-conv", strided);
  await lesson.notice().getByText("until the page is closed").waitFor();
  await lesson.cell("first-conv").locator("textarea").press("Escape");
  expect(await lesson.run("first-conv")).toBe("done");
  expect(await lesson.text("first-conv")).toContain("[13,  3]]]])");
  expect(lesson.complaints).toEqual([]);
});

test("a database that opens and then refuses every transaction is as good as none", async () => {
  await open({
    before: () => {
      IDBDatabase.prototype.transaction = () => {
        throw new DOMException("The database is gone.", "InvalidStateError");
      };
    },
  });
  await lesson.write("first-conv", strided);
  await lesson.notice().getByText("until the page is closed").waitFor();
  expect(lesson.complaints).toEqual([]);
});

test("a kernel that crashes leaves a page that reads, says so, and restarts", async () => {
  await open();
  await lesson.run("first-conv");
  await lesson.page.evaluate(() => {
    for (const frame of document.querySelectorAll("iframe")) frame.remove();
  });
  // The page learns of it at the latest when it asks for the next run.
  await lesson.action("stride-2", "run").click();
  await lesson.page
    .locator('stride-lesson[data-kernel="dead"], stride-cell[data-cell="stride-2"][data-state="done"]')
    .first()
    .waitFor({ state: "attached" });
  if ((await lesson.state("stride-2")) !== "done") {
    expect(await lesson.code("first-conv")).toBe(specOf(words, "first-conv").source);
    await lesson.notice().getByRole("button").click();
    await lesson.page.locator('stride-lesson[data-kernel="ready"]').waitFor({ state: "attached" });
    expect(await lesson.run("stride-2")).toBe("done");
  }
  expect(await lesson.text("stride-2")).toBe(`${specOf(words, "stride-2").output}\n`);
});

test("a kernel that crashes in the middle of a run ends the run with an error, and is replaced", async () => {
  await open();
  await lesson.write("flipped", "await new Promise(() => {});");
  await lesson.action("flipped", "run").click();
  await lesson.waitForState("flipped", "running");
  await lesson.page.waitForTimeout(300);
  await lesson.page.evaluate(() => {
    for (const frame of document.querySelectorAll("iframe")) frame.remove();
  });
  await lesson.waitForState("flipped", "error");
  expect(await lesson.page.locator("stride-lesson").getAttribute("data-kernel")).toBe("dead");
  expect(await lesson.notice().textContent()).toMatch(/crashed/);
  await lesson.notice().getByRole("button").click();
  await lesson.page.locator('stride-lesson[data-kernel="ready"]').waitFor({ state: "attached" });
  await lesson.action("flipped", "reset").click();
  expect(await lesson.run("flipped")).toBe("done");
});

test("a browser that allows no worker leaves a page that reads and says why nothing runs", async () => {
  await open();
  // The frame takes over the page's policy. (A script put before the page's own may come too late for a frame.)
  await lesson.page.context().route(lesson.page.url(), async (route) => {
    const response = await route.fetch();
    await route.fulfill({
      response,
      headers: { ...response.headers(), "content-security-policy": "worker-src 'none'" },
    });
  });
  await lesson.reload();
  await lesson.action("first-conv", "run").click();
  await lesson.notice().getByRole("button").waitFor();
  expect(await lesson.notice().textContent()).toMatch(/could not/);
  expect(await lesson.cell("first-conv").locator("[data-recorded]").count()).toBe(1);
  expect(await lesson.state("first-conv")).toBe("recorded");
  await lesson.write("first-conv", "1");
});

test("a kernel that cannot be fetched is said, and Try again gets it", async () => {
  await open();
  const pattern = /\/_astro\/kernel\.[^/]+\.js$/;
  await lesson.page.context().route(pattern, (route) => route.abort());
  await lesson.action("first-conv", "run").click();
  await lesson.notice().getByRole("button").waitFor();
  expect(await lesson.notice().textContent()).toMatch(/could not/);
  await lesson.page.context().unroute(pattern);
  await lesson.notice().getByRole("button").click();
  await lesson.page.locator('stride-lesson[data-kernel="ready"]').waitFor({ state: "attached" });
  expect(await lesson.run("first-conv")).toBe("done");
});

test("a part of the page's code that cannot be fetched is said, and Try again gets it", async () => {
  await open();
  const pattern = /\/_astro\/room\.[^/]+\.js$/;
  await lesson.page.context().route(pattern, (route) => route.abort());
  await lesson.action("first-conv", "run").click();
  await lesson.notice().getByRole("button").waitFor();
  await lesson.page.context().unroute(pattern);
  await lesson.notice().getByRole("button").click();
  await lesson.waitForState("first-conv", "done");
});

test("memory that runs out is an error that names the largest tensors, and Restart gives it back", async () => {
  await open({ before: () => Object.defineProperty(Navigator.prototype, "deviceMemory", { get: () => 1 }) });
  const hog =
    'import * as torch from "torch";\nconst hog: torch.Tensor[] = [];\nwhile (true) {\n  hog.push(torch.zeros(4000, 4000));\n}';
  expect(await lesson.writeAndRun("flipped", hog)).toBe("error");
  const error = await lesson.error("flipped");
  expect(error).toMatch(/RuntimeError: out of memory: .*tensors hold \d+ MB.*\(the largest: 61\.0 MB of float32/);
  expect(error).toMatch(/Hint: keep numbers with \.item\(\)/);
  expect(await lesson.markedLines("flipped")).toEqual([4]);
  // A new worker is the sure way to give the memory back.
  await lesson.bar("restart").click();
  await lesson.page.locator('stride-lesson[data-kernel="ready"]').waitFor({ state: "attached" });
  expect(await lesson.run("first-conv")).toBe("done");
});
