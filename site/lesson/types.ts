/** A lesson as data: what site/lesson/parse.ts makes of a Markdown file. Positions are 1-based and refer to that file. */

export type Locale = "en" | "zh-cn";
export const LOCALES: readonly Locale[] = ["en", "zh-cn"];

export interface FrontMatter {
  title: string;
  description: string;
  /** Section of the classic chapter, "1.1.2.1". */
  chapter: string;
  minutes: number;
  needs: string[];
  seed: number;
}

export interface CellSpec {
  id: string;
  source: string;
  /** Line of the file on which the cell's first code line stands. */
  line: number;
  hidden: boolean;
  readonly: boolean;
  auto: boolean;
  steps: boolean;
  /** null: the output is compared to the letter. */
  tol: number | null;
  device: "cpu" | "webgpu" | null;
  /** The PyTorch program of the same step, and what PyTorch printed for it. */
  twin: string | null;
  output: string | null;
  /** Lines of the file on which their first lines stand. */
  twinLine?: number | null;
  outputLine?: number | null;
}

export interface ExerciseSpec {
  id: string;
  line: number;
  starter: string;
  starterLine: number;
  check: string;
  checkLine: number;
  /** Markdown of each hint, and of the solution's prose; the solution's code apart. */
  hints: string[];
  solution: string;
  solutionLine: number;
}

export interface PredictSpec {
  /** Cell whose run answers it. */
  of: string;
  id: string;
  line: number;
  /** Markdown of each choice, or null for a typed value. */
  choices: string[] | null;
  /** Index of the right choice, and each choice's reason; null for a typed value. */
  right: number | null;
  whys: string[] | null;
  /** The value to type; with choices, what the run prints when the right one is right ("" when the author names nothing). */
  answer: string;
  /** Markdown shown after the run, whatever was answered. */
  why: string;
}

export interface QuizSpec {
  id: string;
  line: number;
  choices: { text: string; right: boolean; why: string }[];
  /** Markdown shown after the answer, whatever it was. */
  why: string;
}

export interface VisualizerSpec {
  of: string;
  /** PyTorch's operation name: conv2d, max_pool2d, avg_pool2d … */
  op: string;
  line: number;
}

export interface Lesson {
  locale: Locale;
  course: string;
  /** "02-convolution" */
  slug: string;
  /** Path from the project root, with forward slashes. */
  file: string;
  frontMatter: FrontMatter;
  cells: CellSpec[];
  exercises: ExerciseSpec[];
  predicts: PredictSpec[];
  quizzes: QuizSpec[];
  visualizers: VisualizerSpec[];
}

/** A fault of a lesson file: printed as `file:line:column code message` followed by the way out. */
export interface Diagnostic {
  file: string;
  line: number;
  column: number;
  /** Stable, kebab-case: "duplicate-id", "unknown-attribute", "missing-twin" … */
  code: string;
  message: string;
  /** What the author can do about it. */
  fix: string;
}
