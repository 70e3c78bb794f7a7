/** What the student had written, back into the cells; and a question where the author has changed the text since. */
import { starterHash } from "../store/hash.ts";
import { type Store, workKey } from "../store/store.ts";
import { button } from "./dom.ts";
import type { StrideLesson } from "./lesson.ts";

/** Puts kept work into the cells that were not edited meanwhile, and marks what ran on earlier visits. */
export async function restoreWork(lesson: StrideLesson, store: Store): Promise<void> {
  const works = await store.worksOf(lesson.lessonId);
  for (const [id, work] of works) {
    if (!lesson.model.has(id)) continue;
    const cell = lesson.model.cell(id);
    if (cell.source !== cell.starter || work.source === cell.starter) continue;
    if (work.starter === starterHash(cell.starter)) lesson.setSource(id, work.source);
    else askAboutWork(lesson, store, id, work.source);
  }
  const progress = await store.getProgress(lesson.lessonId);
  if (progress !== undefined) lesson.model.restore(progress.ran);
}

/** Keeps a cell's text, or forgets it when it is the lesson's again. */
export async function keepWork(lesson: StrideLesson, store: Store, id: string): Promise<void> {
  const cell = lesson.model.cell(id);
  const key = workKey(lesson.lessonId, id);
  if (cell.source === cell.starter) await store.deleteWork(key);
  else await store.putWork(key, { source: cell.source, starter: starterHash(cell.starter), savedAt: Date.now() });
}

/** Mine, new, or compare: nothing is overwritten without an answer. */
function askAboutWork(lesson: StrideLesson, store: Store, id: string, mine: string): void {
  const element = lesson.cellElement(id);
  if (element === undefined) return;
  const t = lesson.t.cell;
  const cell = lesson.model.cell(id);
  const box = document.createElement("div");
  box.dataset.part = "conflict";
  const words = document.createElement("p");
  words.textContent = t.conflict;
  const done = () => box.remove();
  box.append(
    words,
    button(t.keepMine, "btn btn-primary", () => {
      done();
      lesson.setSource(id, mine);
    }),
    button(t.takeNew, "btn", () => {
      done();
      void store.deleteWork(workKey(lesson.lessonId, id));
    }),
    button(t.compare, "btn", () => {
      void import("./compare.ts").then(({ comparison }) => {
        box.querySelector(".compare")?.remove();
        box.append(comparison(mine, cell.starter, t.compareMine, t.compareNew));
      });
    }),
  );
  element.prepend(box);
}
