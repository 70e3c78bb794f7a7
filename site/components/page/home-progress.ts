/** Marks on the home page what this student has already run, and lets the first button lead on from there. */
import { messages } from "../../i18n/index.ts";
import { openStore } from "../../store/store.ts";

export async function showProgress(): Promise<void> {
  const t = messages(document.querySelector<HTMLElement>(".home")?.dataset.locale);
  const all = await (await openStore()).allProgress();
  let latest: { at: number; item: HTMLElement } | null = null;
  for (const item of document.querySelectorAll<HTMLElement>("[data-home-lesson]")) {
    const progress = all.get(item.dataset.homeLesson ?? "");
    if (progress === undefined || progress.ran.length === 0) continue;
    const meta = item.querySelector(".home-lesson-meta");
    const note = document.createElement("span");
    note.className = "home-done";
    note.textContent = t.home.done(progress.ran.length, Math.max(progress.cells, progress.ran.length));
    meta?.prepend(note);
    if (latest === null || progress.savedAt > latest.at) latest = { at: progress.savedAt, item };
  }
  const start = document.querySelector<HTMLAnchorElement>("[data-home-start]");
  const link = latest?.item.querySelector("a");
  if (latest !== null && start !== null && link) {
    start.href = link.href;
    start.textContent = t.home.resume(latest.item.dataset.homeTitle ?? "");
  }
}
