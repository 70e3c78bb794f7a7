/** Whether the parts of one lesson fit together: ids, twins, outputs, and who refers to whom. */
import katex from "katex";
import { showsAnswer } from "./answers.ts";
import { printsAtTopLevel } from "./code-words.ts";
import { sortDiagnostics } from "./diagnostic.ts";
import { nearest } from "./nearest.ts";
import { type ParsedLesson, parseLesson } from "./parse.ts";
import type { Recorded } from "./places.ts";
import type { Diagnostic } from "./types.ts";

/** Everything that can be said about a lesson's text alone: what parseLesson found, and what doesn't fit together. */
export function checkLesson(text: string, file: string): Diagnostic[] {
  const parsed = parseLesson(text, file);
  return sortDiagnostics([...parsed.diagnostics, ...checkParsed(parsed)]);
}

/** What doesn't fit together in a parsed lesson; nothing where something was left open, which hides the rest. */
export function checkParsed(parsed: ParsedLesson): Diagnostic[] {
  if (!parsed.whole) return [];
  const { lesson, places } = parsed;
  const found: Diagnostic[] = [];
  const fault = (place: { line: number; column: number }, code: string, message: string, fix: string) =>
    found.push({ file: lesson.file, line: place.line, column: place.column, code, message, fix });

  const first = new Map<string, { line: number }>();
  for (const place of places.ids) {
    const earlier = first.get(place.id);
    if (earlier === undefined) first.set(place.id, place);
    else {
      fault(
        place,
        "duplicate-id",
        `the id ${place.id} is already taken on line ${earlier.line}`,
        "give it an id of its own: cells, exercises, predictions and quizzes share one list",
      );
    }
  }

  const cellIds = lesson.cells.map((cell) => cell.id);
  const didYouMean = (id: string) => {
    const near = nearest(id, cellIds);
    return near === null ? `the cells are ${cellIds.join(", ") || "none"}` : `did you mean ${near}?`;
  };

  const recorded = (kind: "twin" | "output", all: Recorded[]) => {
    const seen = new Set<string>();
    for (const one of all) {
      if (one.id === "") continue;
      if (seen.has(one.id)) {
        fault(one, `duplicate-${kind}`, `cell ${one.id} has a second ${kind}`, "keep one");
      } else if (!cellIds.includes(one.id)) {
        fault(one, `${kind}-without-cell`, `there is no cell ${one.id} for this ${kind}`, didYouMean(one.id));
      } else if (one.after !== one.id) {
        fault(
          one,
          `${kind}-out-of-place`,
          `the ${kind} of ${one.id} stands below ${one.after === null ? "no cell" : `cell ${one.after}`}`,
          `move it to where cell ${one.id} ends, before the next cell`,
        );
      }
      seen.add(one.id);
    }
  };
  recorded("twin", places.twins);
  recorded("output", places.outputs);

  for (const cell of lesson.cells) {
    if (cell.id === "") continue;
    const place = places.ids.find((one) => one.id === cell.id) ?? { line: cell.line - 1, column: 1 };
    if (cell.source.trim() === "") {
      fault(place, "empty-cell", `cell ${cell.id} is empty`, "write its code, or remove it");
    }
    if (cell.twin === null) {
      const output = places.outputs.find((one) => one.id === cell.id);
      if (!cell.hidden) {
        fault(
          place,
          "missing-twin",
          `cell ${cell.id} has no twin`,
          `add a \`\`\`python twin=${cell.id} fence below it: the same step in PyTorch`,
        );
      } else if (output !== undefined) {
        fault(
          output,
          "output-without-twin",
          `the output of ${cell.id} comes from no twin`,
          `add a \`\`\`python twin=${cell.id} fence, or remove the output`,
        );
      }
    } else if (cell.output === null && printsAtTopLevel(cell.twin)) {
      fault(
        places.twins.find((one) => one.id === cell.id) ?? place,
        "missing-output",
        `the twin of ${cell.id} prints, and there is no output`,
        `add a \`\`\`text output=${cell.id} fence with what real PyTorch prints`,
      );
    }
  }

  for (const view of lesson.visualizers) {
    if (view.of === "") continue;
    const cell = lesson.cells.find((one) => one.id === view.of);
    const place = { line: view.line, column: 1 };
    if (cell === undefined) {
      fault(place, "no-such-cell", `visualizer looks into ${view.of}, which is no cell`, didYouMean(view.of));
    } else if (cell.line > view.line) {
      fault(
        place,
        "view-before-cell",
        `the visualizer of ${view.of} stands above its cell`,
        "move it below the cell that it looks into",
      );
    }
  }

  for (const guess of lesson.predicts) {
    if (guess.of === "") continue;
    const cell = lesson.cells.find((one) => one.id === guess.of);
    const place = { line: guess.line, column: 1 };
    if (cell === undefined) {
      fault(
        place,
        "no-such-cell",
        `predict ${guess.id} asks about ${guess.of}, which is no cell`,
        didYouMean(guess.of),
      );
    } else if (cell.line < guess.line) {
      fault(
        place,
        "predict-after-cell",
        `predict ${guess.id} stands below its cell ${guess.of}, whose output answers it`,
        "move it above the cell",
      );
    } else if (guess.answer !== "" && !showsAnswer(cell.output ?? "", guess.answer)) {
      fault(
        place,
        "answer-not-printed",
        `the answer of ${guess.id}, ${guess.answer}, is not in the output of ${guess.of}`,
        "let the cell print it, or correct the answer",
      );
    }
  }

  for (const link of places.links) {
    if (!link.url.startsWith("#")) continue;
    const anchors = anchorsOf(parsed);
    const anchor = decode(link.url.slice(1));
    if (!anchors.includes(anchor)) {
      const near = nearest(anchor, anchors);
      fault(
        link,
        "dead-link",
        `nothing in this lesson is called ${link.url}`,
        near === null ? "link to a heading or to an id" : `did you mean #${near}?`,
      );
    }
  }
  for (const formula of places.formulas) {
    const wrong = texFault(formula.tex, formula.display);
    if (wrong !== null) {
      fault(formula, "malformed-formula", wrong, "write TeX that KaTeX knows: https://katex.org/docs/supported");
    }
  }
  return found;
}

/** What KaTeX has against a formula, in the words of its message; null when it can set it. */
function texFault(tex: string, displayMode: boolean): string | null {
  try {
    katex.renderToString(tex, { displayMode, strict: "error" });
    return null;
  } catch (error) {
    // KaTeX underlines the place with combining marks, which a terminal shows as dirt.
    return (error as Error).message.replace(/^KaTeX parse error: /, "").replaceAll("\u0332", "");
  }
}

/** What a link into the lesson can point at: headings and ids. */
export function anchorsOf(parsed: ParsedLesson): string[] {
  return [...parsed.places.headings, ...parsed.places.ids.map((place) => place.id)];
}

/** A fragment as the author meant it; one that isn't valid percent-encoding stays as it is. */
export function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
