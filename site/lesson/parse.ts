/**
 * A lesson file as data. Reads what is there and says what can't be read; whether the parts fit together is
 * check.ts's question. Never throws, whatever the text.
 */
import type { Code, List, Nodes, Root, RootContent } from "mdast";
import remarkFrontmatter from "remark-frontmatter";
import remarkMath from "remark-math";
import remarkParse from "remark-parse";
import { unified } from "unified";
import { visit } from "unist-util-visit";
import { readChoices } from "./choices.ts";
import { BLOCKS, type BlockKind, type Classified, classifyDirective, classifyFence } from "./fence.ts";
import { readFrontMatter } from "./front-matter.ts";
import { type DirectiveMark, type Outline, readOutline } from "./outline.ts";
import { Places } from "./places.ts";
import { remarkLessonDirectives } from "./remark-lesson-directives.ts";
import { type Diagnostic, type ExerciseSpec, type Lesson, LOCALES, type Locale } from "./types.ts";

export interface ParsedLesson {
  lesson: Lesson;
  diagnostics: Diagnostic[];
  /** Where things stand and where links lead, for the checks. */
  places: Places;
  /** False when something was left open: what follows it was misread, and checks would only pile up. */
  whole: boolean;
}

const processor = unified()
  .use(remarkParse)
  .use(remarkFrontmatter)
  .use(remarkMath)
  .use(remarkLessonDirectives)
  .freeze();

/**
 * @param text the file's text
 * @param file its path from the project root, with forward slashes; its last three parts are locale, course, name
 */
export function parseLesson(text: string, file: string): ParsedLesson {
  return new LessonReader(text, file).read();
}

/** "lessons/en/nn/02-convolution.md" → its parts; null when the path doesn't name a lesson. */
export function splitLessonPath(file: string): { locale: Locale; course: string; slug: string } | null {
  const match = /(?:^|\/)([^/]+)\/([a-z0-9-]+)\/(\d\d-[a-z0-9]+(?:-[a-z0-9]+)*)\.md$/.exec(file);
  const locale = LOCALES.find((known) => known === match?.[1]);
  return match === null || locale === undefined ? null : { locale, course: match[2]!, slug: match[3]! };
}

class LessonReader {
  readonly #lines: string[];
  readonly #outline: Outline;
  readonly #marks: Map<number, DirectiveMark>;
  readonly #places = new Places();
  readonly #diagnostics: Diagnostic[] = [];
  readonly #lesson: Lesson;
  readonly #text: string;

  constructor(text: string, file: string) {
    this.#text = text;
    this.#lines = text.split(/\r?\n/);
    this.#outline = readOutline(text);
    this.#marks = new Map(this.#outline.directives.map((mark) => [mark.line, mark]));
    const front = readFrontMatter(text);
    const path = splitLessonPath(file);
    this.#lesson = {
      locale: path?.locale ?? "en",
      course: path?.course ?? "",
      slug: path?.slug ?? "",
      file,
      frontMatter: front.frontMatter,
      cells: [],
      exercises: [],
      predicts: [],
      quizzes: [],
      visualizers: [],
    };
    this.#places.frontMatter = front.lines;
    if (path === null) {
      this.#wordFault(
        1,
        1,
        "bad-path",
        `${file} is not where a lesson lives`,
        "move it to lessons/<en or zh-cn>/<course>/<two digits>-<words>.md",
      );
    }
    for (const fault of [...front.faults, ...this.#outline.faults]) this.#diagnostics.push({ file, ...fault });
  }

  read(): ParsedLesson {
    // Every directive's words, whether or not Markdown agrees that it is one.
    for (const mark of this.#outline.directives) this.#classifyMark(mark);
    const tree = processor.parse(this.#text) as Root;
    for (const node of tree.children) this.#block(node, null);
    visit(tree, ["math", "inlineMath"], (node) => {
      if (node.type !== "math" && node.type !== "inlineMath") return;
      const { line, column } = node.position!.start;
      this.#places.formulas.push({ tex: node.value, display: node.type === "math", line, column });
    });
    this.#attachTwins();
    return {
      lesson: this.#lesson,
      diagnostics: this.#diagnostics,
      places: this.#places,
      whole: this.#outline.faults.length === 0,
    };
  }

  /** A fault of structure: kept only where nothing was left open, for that would be its cause. */
  #fault(line: number, column: number, code: string, message: string, fix: string): void {
    if (this.#outline.faults.length === 0) this.#wordFault(line, column, code, message, fix);
  }

  #wordFault(line: number, column: number, code: string, message: string, fix: string): void {
    this.#diagnostics.push({ file: this.#lesson.file, line, column, code, message, fix });
  }

  #classifyMark(mark: DirectiveMark): Classified {
    const found = classifyDirective(mark.name, mark.form, mark.words);
    // `::name` alone might be prose about C++; it is a mistake only when it is near to something.
    if (
      mark.form === "leaf" &&
      found.kind === null &&
      found.faults.every((fault) => !fault.fix.startsWith("did you"))
    ) {
      return found;
    }
    for (const fault of found.faults) {
      const column = fault.offset < 0 ? mark.column : mark.wordsColumn + fault.offset;
      this.#wordFault(mark.line, column, fault.code, fault.message, fault.fix);
    }
    if (mark.label !== null && found.kind !== null) {
      this.#fault(
        mark.line,
        mark.column,
        "unknown-attribute",
        `${mark.name} takes no [label]`,
        `write ${BLOCKS[found.kind].example}`,
      );
    }
    return found;
  }

  /** A node at the top level or in a quote, a list, an aside: `around` says which. */
  #block(node: RootContent, around: string | null): void {
    if (node.type === "code") {
      this.#topFence(node, around);
      return;
    }
    if (node.type === "containerDirective" || node.type === "leafDirective") {
      const mark = this.#markOf(node);
      const kind = mark === null ? null : classifyDirective(mark.name, mark.form, mark.words).kind;
      if (mark === null || kind === null) {
        if ("children" in node) for (const child of node.children) this.#block(child, around ?? node.name);
        return;
      }
      if (BLOCKS[kind].inside !== null || around !== null) {
        this.#misplaced(mark.line, mark.column, kind, around);
        return;
      }
      const { attributes } = classifyDirective(mark.name, mark.form, mark.words);
      if (kind === "visualizer") {
        this.#lesson.visualizers.push({ of: attributes.of ?? "", op: attributes.op ?? "", line: mark.line });
      } else if ("children" in node) {
        if (kind === "exercise") this.#exercise(node, mark, attributes);
        else this.#question(kind as "predict" | "quiz", node, mark, attributes);
      }
      return;
    }
    this.#places.collect(node);
    if ("children" in node && (node.type === "blockquote" || node.type === "list" || node.type === "listItem")) {
      for (const child of node.children)
        this.#block(child as RootContent, node.type === "blockquote" ? "a quote" : "a list");
    }
  }

  #misplaced(line: number, column: number, kind: BlockKind, around: string | null): void {
    const { inside, example } = BLOCKS[kind];
    this.#fault(
      line,
      column,
      "misplaced",
      inside === null ? `${kind} can't stand in ${around}` : `${kind} stands outside of ${inside.join(" or ")}`,
      inside === null
        ? `put ${example} at the top level of the lesson, and close what is open before it with :::`
        : `put it between ${BLOCKS[inside[0]!].example} and its closing :::`,
    );
  }

  #markOf(node: Nodes): DirectiveMark | null {
    return this.#marks.get(node.position?.start.line ?? 0) ?? null;
  }

  /** Kind and attributes of a fence, its faults reported; null for indented code and plain fences. */
  #fence(node: Code): { kind: BlockKind; attributes: Record<string, string>; line: number; column: number } | null {
    const { line, column } = node.position!.start;
    const raw = this.#lines[line - 1] ?? "";
    const opening = /^(?:`{3,}|~{3,})[ \t]*/.exec(raw.slice(column - 1));
    if (opening === null) return null;
    const infoColumn = column + opening[0].length;
    const { kind, attributes, faults } = classifyFence(raw.slice(infoColumn - 1));
    for (const fault of faults) this.#wordFault(line, infoColumn + fault.offset, fault.code, fault.message, fault.fix);
    return kind === null ? null : { kind, attributes, line, column };
  }

  #topFence(node: Code, around: string | null): void {
    const fence = this.#fence(node);
    if (fence === null) return;
    const { kind, attributes, line, column } = fence;
    if (BLOCKS[kind].inside !== null || around !== null) {
      this.#misplaced(line, column, kind, around);
      return;
    }
    const source = node.value.replaceAll("\r\n", "\n");
    if (kind === "cell") {
      const id = attributes.id ?? "";
      this.#places.id(id, "cell", line, column);
      this.#lesson.cells.push({
        id,
        source,
        line: line + 1,
        hidden: "hidden" in attributes,
        readonly: "readonly" in attributes,
        auto: "auto" in attributes,
        steps: "steps" in attributes,
        tol: attributes.tol === undefined ? null : Number(attributes.tol),
        device: (attributes.device as "cpu" | "webgpu" | undefined) ?? null,
        twin: null,
        output: null,
        twinLine: null,
        outputLine: null,
      });
    } else if (kind === "twin" || kind === "output") {
      this.#places[kind === "twin" ? "twins" : "outputs"].push({
        id: attributes[kind] ?? "",
        source,
        line,
        column,
        after: this.#lesson.cells.at(-1)?.id ?? null,
      });
    }
  }

  #attachTwins(): void {
    for (const cell of this.#lesson.cells) {
      const twin = this.#places.twins.find((one) => one.id === cell.id);
      const output = this.#places.outputs.find((one) => one.id === cell.id);
      if (twin !== undefined) Object.assign(cell, { twin: twin.source, twinLine: twin.line + 1 });
      if (output !== undefined) Object.assign(cell, { output: output.source, outputLine: output.line + 1 });
    }
  }

  #exercise(node: { children: RootContent[] }, mark: DirectiveMark, attributes: Record<string, string>): void {
    const id = attributes.id ?? "";
    this.#places.id(id, "exercise", mark.line, mark.column);
    const exercise: ExerciseSpec = {
      id,
      line: mark.line,
      starter: "",
      starterLine: 0,
      check: "",
      checkLine: 0,
      hints: [],
      solution: "",
      solutionLine: 0,
    };
    let solved = false;
    for (const child of node.children) {
      if (child.type === "code") {
        const fence = this.#fence(child);
        if (fence === null) continue;
        if (fence.kind !== "starter" && fence.kind !== "check") {
          this.#misplaced(fence.line, fence.column, fence.kind, "exercise");
          continue;
        }
        const lineKey = fence.kind === "starter" ? "starterLine" : "checkLine";
        if (exercise[lineKey] > 0) {
          this.#fault(
            fence.line,
            fence.column,
            `duplicate-${fence.kind}`,
            `exercise ${id} has a second ${fence.kind}`,
            "keep one",
          );
          continue;
        }
        exercise[fence.kind] = child.value.replaceAll("\r\n", "\n");
        exercise[lineKey] = fence.line + 1;
        continue;
      }
      const inner = child.type === "containerDirective" ? this.#markOf(child) : null;
      if (inner?.name === "hint") {
        exercise.hints.push(this.#bodyOf(inner));
        this.#prose(child, "hint");
      } else if (inner?.name === "solution") {
        if (solved)
          this.#fault(
            inner.line,
            inner.column,
            "duplicate-solution",
            `exercise ${id} has a second solution`,
            "keep one",
          );
        else this.#solution(exercise, child, inner);
        solved = true;
      } else this.#block(child, "exercise");
    }
    const need: [boolean, string, string][] = [
      [exercise.starterLine === 0, "starter", "add a ```ts starter fence: what the student begins with"],
      [exercise.checkLine === 0, "check", 'add a ```ts check fence: test("…", () => equal(actual, expected), "why")'],
      [!solved, "solution", "add :::solution with a ts fence that passes the check"],
    ];
    for (const [missing, what, fix] of need) {
      if (missing) this.#fault(mark.line, mark.column, `missing-${what}`, `exercise ${id} has no ${what}`, fix);
    }
    this.#lesson.exercises.push(exercise);
  }

  #solution(exercise: ExerciseSpec, node: Nodes, mark: DirectiveMark): void {
    const children = "children" in node ? (node.children as RootContent[]) : [];
    const code = children.filter((child): child is Code => child.type === "code" && child.lang === "ts" && !child.meta);
    if (code.length !== 1) {
      this.#fault(
        mark.line,
        mark.column,
        "bad-solution",
        `the solution of ${exercise.id} has ${code.length === 0 ? "no" : code.length} ts fences`,
        "end it with exactly one ```ts fence, which passes the check",
      );
    }
    exercise.solution = (code[0]?.value ?? "").replaceAll("\r\n", "\n");
    exercise.solutionLine = code[0] === undefined ? mark.line : code[0].position!.start.line + 1;
    this.#prose(node, "solution");
  }

  /** Prose within a directive: its links count, its fences are plain. */
  #prose(node: Nodes, around: string): void {
    if (!("children" in node)) return;
    for (const child of node.children as RootContent[]) this.#block(child, around);
  }

  #question(
    kind: "predict" | "quiz",
    node: { children: RootContent[] },
    mark: DirectiveMark,
    attributes: Record<string, string>,
  ): void {
    const id = attributes.id ?? "";
    this.#places.id(id, kind, mark.line, mark.column);
    let choices: { text: string; right: boolean; why: string }[] | null = null;
    let why = "";
    for (const child of node.children) {
      const inner = child.type === "containerDirective" ? this.#markOf(child) : null;
      if (inner?.name === "why") {
        why = this.#bodyOf(inner);
        this.#prose(child, "why");
      } else {
        if (child.type === "list" && choices === null) choices = this.#choices(child);
        this.#block(child, kind);
      }
    }
    const right = (choices ?? []).filter((choice) => choice.right).length;
    if (kind === "quiz") {
      if (choices === null) this.#noChoices(mark, `quiz ${id} has no choices`);
      else if (right === 0) this.#noneRight(mark, `quiz ${id} has no right choice`, "tick the right ones: - [x]");
      this.#lesson.quizzes.push({ id, line: mark.line, choices: choices ?? [], why });
      return;
    }
    if (choices === null && attributes.answer === undefined) {
      this.#noChoices(mark, `predict ${id} has neither choices nor an answer`);
    } else if (choices !== null && right !== 1) {
      this.#noneRight(mark, `predict ${id} has ${right === 0 ? "no" : right} right choices`, "tick exactly one: - [x]");
    }
    this.#lesson.predicts.push({
      of: attributes.of ?? "",
      id,
      line: mark.line,
      choices: choices?.map((choice) => choice.text) ?? null,
      right: choices === null ? null : choices.findIndex((choice) => choice.right),
      whys: choices?.map((choice) => choice.why) ?? null,
      answer: attributes.answer ?? "",
      why,
    });
  }

  #noChoices(mark: DirectiveMark, message: string): void {
    const typed = mark.name === "predict" ? ', or give answer="…" for a value to type' : "";
    this.#fault(
      mark.line,
      mark.column,
      "missing-choices",
      message,
      `add a task list, - [x] for right and - [ ] for wrong${typed}`,
    );
  }

  #noneRight(mark: DirectiveMark, message: string, fix: string): void {
    this.#fault(mark.line, mark.column, "right-choices", message, fix);
  }

  #choices(list: List): { text: string; right: boolean; why: string }[] | null {
    const items = list.children.map((item) => ({ item, ...this.#itemText(item) }));
    const boxed = (first: string) => /^\[[ xX]\](?:\s|$)/.test(first);
    if (readChoices(list) === null) {
      // Half a task list is a slip, none at all is a list of the question's.
      if (!items.some(({ first }) => /^\[[ xX]?\]/.test(first))) return null;
      for (const { item } of items.filter(({ first }) => !boxed(first))) {
        const { line, column } = item.position!.start;
        const fix = "start every choice with - [ ] or - [x] and a space";
        this.#fault(line, column, "bad-choice", "this choice has no box, others have", fix);
      }
    }
    return items.map(({ first, rest }) => ({
      text: first.replace(/^\[[ xX]?\]\s*/, ""),
      right: /^\[[xX]\]/.test(first),
      why: rest,
    }));
  }

  /** Source of a list item: its first line without the bullet, and the lines below it without their indent. */
  #itemText(item: Nodes): { first: string; rest: string } {
    const { start, end } = item.position!;
    const [first = "", ...rest] = this.#lines.slice(start.line - 1, end.line);
    const bullet = /^(?:[-*+]|\d+[.)])\s*/.exec(first.slice(start.column - 1));
    return { first: first.slice(start.column - 1 + (bullet?.[0].length ?? 0)).trimEnd(), rest: dedent(rest) };
  }

  /** Source between a directive's opening and closing lines. */
  #bodyOf(mark: DirectiveMark): string {
    return this.#lines
      .slice(mark.line, (mark.closeLine ?? this.#lines.length + 1) - 1)
      .join("\n")
      .trim();
  }
}

function dedent(lines: readonly string[]): string {
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.length - line.trimStart().length);
  const indent = indents.length === 0 ? 0 : Math.min(...indents);
  return lines
    .map((line) => line.slice(indent))
    .join("\n")
    .trim();
}
