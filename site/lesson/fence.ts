/**
 * The words of the lesson format: which fences and directives exist, which attributes each takes, where each may stand.
 * One table, read by the parser, the checks, the page's Markdown pipeline and the authors' errors, so that none of them
 * can allow what another refuses.
 */
import { nearest } from "./nearest.ts";

export type BlockKind =
  | "cell"
  | "twin"
  | "output"
  | "starter"
  | "check"
  | "visualizer"
  | "exercise"
  | "hint"
  | "solution"
  | "predict"
  | "quiz"
  | "why";

/** Operations that have a view. A visualizer for a further operation adds its PyTorch name here. */
export const VISUALIZED_OPS: readonly string[] = ["conv2d", "max_pool2d", "avg_pool2d"];

/** What may stand to the right of an attribute's `=`; a flag has no `=`; a list names every allowed value. */
export type AttributeValue = "flag" | "id" | "number" | "text" | readonly string[];

export interface AttributeRule {
  value: AttributeValue;
  required?: true;
}

export interface BlockRule {
  /** A fence is ``` with a language; a container is :::name … :::; a leaf is ::name on a line of its own. */
  form: "fence" | "container" | "leaf";
  /** Language of the fence. */
  language?: "ts" | "python" | "text";
  /** Directives that it must stand in; null: it stands at the top level of the lesson. */
  inside: readonly BlockKind[] | null;
  attributes: Readonly<Record<string, AttributeRule>>;
  /** As an author would write it: quoted by the errors. */
  example: string;
}

export const BLOCKS: Readonly<Record<BlockKind, BlockRule>> = {
  cell: {
    form: "fence",
    language: "ts",
    inside: null,
    attributes: {
      id: { value: "id", required: true },
      hidden: { value: "flag" },
      readonly: { value: "flag" },
      auto: { value: "flag" },
      steps: { value: "flag" },
      tol: { value: "number" },
      device: { value: ["cpu", "webgpu"] },
    },
    example: "```ts cell id=first-conv",
  },
  twin: {
    form: "fence",
    language: "python",
    inside: null,
    attributes: { twin: { value: "id", required: true } },
    example: "```python twin=first-conv",
  },
  output: {
    form: "fence",
    language: "text",
    inside: null,
    attributes: { output: { value: "id", required: true } },
    example: "```text output=first-conv",
  },
  starter: { form: "fence", language: "ts", inside: ["exercise"], attributes: {}, example: "```ts starter" },
  check: { form: "fence", language: "ts", inside: ["exercise"], attributes: {}, example: "```ts check" },
  visualizer: {
    form: "leaf",
    inside: null,
    attributes: { of: { value: "id", required: true }, op: { value: VISUALIZED_OPS, required: true } },
    example: "::visualizer{of=first-conv op=conv2d}",
  },
  exercise: {
    form: "container",
    inside: null,
    attributes: { id: { value: "id", required: true } },
    example: ":::exercise{id=conv-size}",
  },
  hint: { form: "container", inside: ["exercise"], attributes: {}, example: ":::hint" },
  solution: { form: "container", inside: ["exercise"], attributes: {}, example: ":::solution" },
  predict: {
    form: "container",
    inside: null,
    attributes: {
      of: { value: "id", required: true },
      id: { value: "id", required: true },
      answer: { value: "text" },
    },
    example: ":::predict{of=first-conv id=guess-size}",
  },
  quiz: {
    form: "container",
    inside: null,
    attributes: { id: { value: "id", required: true } },
    example: ":::quiz{id=parameters}",
  },
  why: { form: "container", inside: ["predict", "quiz"], attributes: {}, example: ":::why" },
};

/** Starlight's asides: containers that any lesson may use, with an optional [title]. */
export const ASIDES: readonly string[] = ["note", "tip", "caution", "danger"];

export const DIRECTIVES: readonly BlockKind[] = (Object.keys(BLOCKS) as BlockKind[]).filter(
  (kind) => BLOCKS[kind].form !== "fence",
);

const FENCE_KINDS = (Object.keys(BLOCKS) as BlockKind[]).filter((kind) => BLOCKS[kind].form === "fence");

/** Languages of plain fences: code that is shown and never run. No language at all is plain text. */
export const SHOWN_LANGUAGES: readonly string[] = [
  "ts",
  "python",
  "text",
  "js",
  "json",
  "sh",
  "yaml",
  "md",
  "html",
  "css",
  "diff",
  "wgsl",
];

export interface Attribute {
  name: string;
  /** null for a bare word. */
  value: string | null;
  /** Offsets in the text given to parseAttributes. */
  start: number;
  end: number;
}

/** A fault found in a line of words; `offset` counts from the start of the text that was classified. */
export interface WordFault {
  code: string;
  offset: number;
  message: string;
  fix: string;
}

/** `a b=1 c="x y"` → its words. A quote that never closes is a fault, and the rest of the line is its value. */
export function parseAttributes(text: string): { attributes: Attribute[]; faults: WordFault[] } {
  const attributes: Attribute[] = [];
  const faults: WordFault[] = [];
  const word = /[^\s="']+|=|["']/y;
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      continue;
    }
    word.lastIndex = at;
    const name = word.exec(text)![0];
    const start = at;
    if (name === "=" || name === '"' || name === "'") {
      faults.push({
        code: "malformed-attribute",
        offset: start,
        message: `${name} stands where an attribute's name belongs`,
        fix: "write name=value, without spaces around the =",
      });
      at++;
      continue;
    }
    at += name.length;
    let value: string | null = null;
    if (text[at] === "=") {
      at++;
      const quote = text[at];
      if (quote === '"' || quote === "'") {
        const close = text.indexOf(quote, at + 1);
        if (close < 0) {
          faults.push({
            code: "malformed-attribute",
            offset: start,
            message: `the value of ${name} opens with ${quote} and never closes`,
            fix: `add the closing ${quote}`,
          });
        }
        value = text.slice(at + 1, close < 0 ? text.length : close);
        at = close < 0 ? text.length : close + 1;
      } else {
        value = /^[^\s]*/.exec(text.slice(at))![0];
        at += value.length;
        if (value === "") {
          faults.push({
            code: "malformed-attribute",
            offset: start,
            message: `${name}= has no value`,
            fix: `write ${name}=value, without spaces around the =`,
          });
        }
      }
    }
    attributes.push({ name, value, start, end: at });
  }
  return { attributes, faults };
}

export interface Classified {
  /** null: plain code that is shown, or a word the format doesn't know (then there is a fault). */
  kind: BlockKind | null;
  /** Values by name; a flag's is "". Only attributes that the table allows, with values it allows. */
  attributes: Record<string, string>;
  faults: WordFault[];
}

const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

function valueFault(name: string, value: string | null, rule: AttributeRule): { message: string; fix: string } | null {
  if (rule.value === "flag") {
    return value === null ? null : { message: `${name} takes no value`, fix: `write ${name} alone, or leave it out` };
  }
  if (value === null) return { message: `${name} needs a value`, fix: `write ${name}=…` };
  if (value === "") return rule.value === "text" ? { message: `${name} is empty`, fix: `write ${name}="…"` } : null;
  if (rule.value === "id" && !ID.test(value)) {
    return {
      message: `${name}=${value} is no id`,
      fix: "use lower-case letters, digits and single hyphens: first-conv",
    };
  }
  if (rule.value === "number" && !(Number(value) > 0 && Number.isFinite(Number(value)))) {
    return { message: `${name}=${value} is not a positive number`, fix: `write ${name}=1e-3` };
  }
  if (typeof rule.value !== "string" && !rule.value.includes(value)) {
    const near = nearest(value, rule.value);
    return {
      message: `${name}=${value} is unknown`,
      fix: near === null ? `it can be ${rule.value.join(", ")}` : `did you mean ${name}=${near}?`,
    };
  }
  return null;
}

/** Holds the words of a block against its rule. */
function applyRule(kind: BlockKind, words: Attribute[], end: number): Classified {
  const rule = BLOCKS[kind];
  const names = Object.keys(rule.attributes);
  const attributes: Record<string, string> = {};
  const faults: WordFault[] = [];
  for (const { name, value, start } of words) {
    const known = Object.hasOwn(rule.attributes, name) ? rule.attributes[name]! : null;
    if (known === null) {
      const near = nearest(name, names);
      const list = names.length === 0 ? `${kind} takes no attributes` : `${kind} takes ${names.join(", ")}`;
      faults.push({
        code: "unknown-attribute",
        offset: start,
        message: `${kind} has no attribute "${name}"`,
        fix: near === null ? list : `did you mean ${near}? (${list})`,
      });
      continue;
    }
    if (Object.hasOwn(attributes, name)) {
      faults.push({
        code: "duplicate-attribute",
        offset: start,
        message: `${name} is given twice`,
        fix: "keep one of them",
      });
      continue;
    }
    const wrong = valueFault(name, value, known);
    if (wrong !== null) faults.push({ code: "bad-value", offset: start, ...wrong });
    // An empty value was already reported by parseAttributes; either way the attribute is not "missing" on top.
    attributes[name] = value ?? "";
  }
  for (const name of names) {
    if (rule.attributes[name]!.required === true && !Object.hasOwn(attributes, name)) {
      faults.push({
        code: "missing-attribute",
        offset: end,
        message: `${kind} needs ${name}=…`,
        fix: `write ${rule.example}`,
      });
    }
  }
  return { kind, attributes, faults };
}

/**
 * What a fence is, from its info string: everything after the backticks ("ts cell id=first-conv tol=1e-3").
 * Fault offsets count from the start of `info`.
 */
export function classifyFence(info: string): Classified {
  const { attributes: words, faults } = parseAttributes(info);
  const [language, first, ...rest] = words;
  if (language === undefined) return { kind: null, attributes: {}, faults };
  const end = info.trimEnd().length;
  if (first === undefined) {
    if (!SHOWN_LANGUAGES.includes(language.name)) {
      const near = nearest(language.name, SHOWN_LANGUAGES) ?? aliasOf(language.name);
      faults.push({
        code: "unknown-language",
        offset: language.start,
        message: `unknown language "${language.name}" on a code fence`,
        fix: near === null ? `it can be ${SHOWN_LANGUAGES.join(", ")}, or nothing` : `did you mean ${near}?`,
      });
    }
    return { kind: null, attributes: {}, faults };
  }
  const kind = FENCE_KINDS.find((name) => name === first.name);
  if (kind === undefined) {
    const here = FENCE_KINDS.filter((name) => BLOCKS[name].language === language.name);
    const near = nearest(first.name, here) ?? nearest(first.name, FENCE_KINDS);
    faults.push({
      code: "unknown-fence-word",
      offset: first.start,
      message: `unknown word "${first.name}" after \`\`\`${language.name}`,
      fix:
        near !== null
          ? `did you mean ${BLOCKS[near].example}?`
          : `it can be ${FENCE_KINDS.map((name) => BLOCKS[name].example.slice(3)).join(", ")}, or a language alone`,
    });
    return { kind: null, attributes: {}, faults };
  }
  const rule = BLOCKS[kind];
  if (language.name !== rule.language) {
    faults.push({
      code: "wrong-language",
      offset: language.start,
      message: `a ${kind} fence is written in ${rule.language}, not "${language.name}"`,
      fix: `write ${rule.example}`,
    });
  }
  // `twin=ID` and `output=ID` are word and attribute in one.
  const attributes = Object.hasOwn(rule.attributes, kind) ? [first, ...rest] : rest;
  if (attributes === rest && first.value !== null) {
    faults.push({
      code: "bad-value",
      offset: first.start,
      message: `${kind} takes no value`,
      fix: `write ${rule.example}`,
    });
  }
  const held = applyRule(kind, attributes, end);
  return { ...held, faults: [...faults, ...held.faults] };
}

function aliasOf(language: string): string | null {
  const aliases: Record<string, string> = {
    typescript: "ts",
    javascript: "js",
    py: "python",
    txt: "text",
    bash: "sh",
    shell: "sh",
    yml: "yaml",
    markdown: "md",
  };
  return Object.hasOwn(aliases, language) ? aliases[language]! : null;
}

/**
 * What a directive is, from its name and the text between its braces. Fault offsets count from the start of `words`;
 * a fault about the name itself has offset -1.
 */
export function classifyDirective(name: string, form: "container" | "leaf", words: string): Classified {
  const { attributes, faults } = parseAttributes(words);
  const kind = DIRECTIVES.find((known) => known === name);
  if (kind === undefined) {
    if (ASIDES.includes(name) && form === "container") return { kind: null, attributes: {}, faults };
    const near = nearest(name, [...DIRECTIVES, ...ASIDES]);
    const known = near === null ? null : (DIRECTIVES.find((one) => one === near) ?? null);
    faults.push({
      code: "unknown-directive",
      offset: -1,
      message: `unknown directive "${name}"`,
      fix:
        near === null
          ? `it can be ${[...DIRECTIVES, ...ASIDES].join(", ")}`
          : `did you mean ${known === null ? `:::${near}` : BLOCKS[known].example}?`,
    });
    return { kind: null, attributes: {}, faults };
  }
  const rule = BLOCKS[kind];
  if (rule.form !== form) {
    faults.push({
      code: "wrong-colons",
      offset: -1,
      message:
        rule.form === "leaf"
          ? `${name} stands on one line, with two colons`
          : `${name} holds other text, with three colons before and after`,
      fix: `write ${rule.example}`,
    });
  }
  const held = applyRule(kind, attributes, words.length);
  return { ...held, faults: [...faults, ...held.faults] };
}
