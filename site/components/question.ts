/** What exercises, predictions and quizzes share on the page: finding their lesson, and turning a list into choices. */
import { part } from "./dom.ts";
import type { LessonRuntime } from "./runtime.ts";

/** Calls back with the lesson around an element, once there is one, whichever of the two is defined first. */
export function whenLesson(element: HTMLElement, attach: (runtime: LessonRuntime) => void): void {
  void customElements.whenDefined("stride-lesson").then(() => {
    const lesson = element.closest("stride-lesson");
    if (lesson !== null && element.isConnected) attach(lesson as unknown as LessonRuntime);
  });
}

/** The verdict that an earlier visit left; undefined also where the store can't be loaded, which spoils no question. */
export async function keptVerdict({ lessonId }: LessonRuntime, id: string): Promise<string | undefined> {
  try {
    const { openStore } = await import("../store/store.ts");
    return (await (await openStore()).getProgress(lessonId))?.verdicts[id];
  } catch {
    return undefined;
  }
}

/** Keeps a verdict with the student's progress, where that is possible; null forgets it. */
export async function keepVerdict(runtime: LessonRuntime, id: string, verdict: string | null): Promise<void> {
  try {
    const { openStore } = await import("../store/store.ts");
    await (await openStore()).updateProgress(runtime.lessonId, (progress) => {
      const { [id]: _, ...others } = progress.verdicts;
      const verdicts = verdict === null ? others : { ...others, [id]: verdict };
      return { ...progress, verdicts, cells: runtime.lesson.cells.length, savedAt: Date.now() };
    });
  } catch {
    // The lesson's bar says that nothing is kept.
  }
}

/**
 * Makes the choices of a question choosable: a radio button or a box in each, the text its label. The list becomes a
 * group that is named by the question.
 * @returns the inputs in order
 */
export function makeChoices(question: HTMLElement, several: boolean, groupLabel: string): HTMLInputElement[] {
  const list = part(question, "choices");
  if (list === null) return [];
  const name = `choice-${question.id}`;
  list.setAttribute("role", several ? "group" : "radiogroup");
  const prompt = part(question, "prompt");
  if (prompt?.firstElementChild) {
    prompt.id ||= `${name}-prompt`;
    list.setAttribute("aria-labelledby", prompt.id);
  } else list.setAttribute("aria-label", groupLabel);
  return [...list.children].map((item, index) => {
    item.setAttribute("role", "presentation");
    const input = document.createElement("input");
    input.type = several ? "checkbox" : "radio";
    input.name = name;
    input.value = String(index);
    const label = document.createElement("label");
    const text = part(item, "choice");
    label.append(input);
    if (text !== null) {
      // A label holds phrases only; the choice is one line of them.
      const phrase = document.createElement("span");
      phrase.dataset.part = "choice";
      phrase.append(...text.childNodes);
      text.remove();
      label.append(phrase);
    }
    item.prepend(label);
    return input;
  });
}

/** Marks what was chosen and what is right, by attribute and by a word for those who don't see colours. */
export function markChoice(item: Element | null | undefined, right: boolean | null, word: string): void {
  if (!(item instanceof HTMLElement)) return;
  part(item, "choice-word")?.remove();
  if (right === null) {
    delete item.dataset.verdict;
    return;
  }
  item.dataset.verdict = right ? "pass" : "fail";
  const words = document.createElement("span");
  words.dataset.part = "choice-word";
  words.textContent = word;
  item.querySelector("label")?.append(" ", words);
}
