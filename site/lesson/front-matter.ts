/** The front matter of a lesson: YAML between --- lines, held against a schema, each fault on its own line. */
import { isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { nearest } from "./nearest.ts";
import type { OutlineFault } from "./outline.ts";
import type { FrontMatter } from "./types.ts";

/** What a lesson's front matter must be. */
export const frontMatterSchema = z.strictObject({
  title: z.string().trim().min(1),
  description: z.string().trim().min(1),
  chapter: z.string().regex(/^\d+(\.\d+)*$/),
  minutes: z.int().positive(),
  needs: z.array(z.string().regex(/^\d\d-[a-z0-9-]+$/)).default([]),
  seed: z.int().nonnegative().default(0),
});

const EXPECTED: Record<keyof FrontMatter, { message: string; fix: string }> = {
  title: { message: "title must be text", fix: "write title: Convolution layers" },
  description: { message: "description must be text", fix: "write description: one sentence on what the lesson shows" },
  chapter: {
    message: "chapter must be the section of the classic chapter, in quotes",
    fix: 'write chapter: "1.1.2.1"',
  },
  minutes: { message: "minutes must be a whole number above 0", fix: "write minutes: 25" },
  needs: {
    message: "needs must be a list of lessons of this course",
    fix: "write needs: [01-module], or needs: [] for none",
  },
  seed: { message: "seed must be a whole number, 0 or above", fix: "write seed: 0" },
};
const KEYS = Object.keys(EXPECTED) as (keyof FrontMatter)[];

const EMPTY: FrontMatter = { title: "", description: "", chapter: "", minutes: 1, needs: [], seed: 0 };

export interface FrontMatterReading {
  frontMatter: FrontMatter;
  faults: OutlineFault[];
  /** Lines of keys and of the items of needs ("needs.0"), for checks that come later. */
  lines: Record<string, { line: number; column: number }>;
}

/** Reads the front matter of a lesson's text. What can't be read is left at its default, with a fault. */
export function readFrontMatter(text: string): FrontMatterReading {
  const faults: OutlineFault[] = [];
  const lines: FrontMatterReading["lines"] = {};
  if (text.startsWith("\ufeff")) {
    faults.push({
      line: 1,
      column: 1,
      code: "byte-order-mark",
      message: "the file begins with a byte order mark, which no editor shows",
      fix: "save it as UTF-8 without one",
    });
    return { frontMatter: { ...EMPTY }, faults, lines };
  }
  const start = /^---[ \t]*\r?\n/.exec(text);
  if (start === null) {
    faults.push({
      line: 1,
      column: 1,
      code: "missing-front-matter",
      message: "a lesson starts with front matter",
      fix: "put --- on line 1, then title, description, chapter and minutes, then --- again",
    });
    return { frontMatter: { ...EMPTY }, faults, lines };
  }
  const end = /^---[ \t]*\r?$/m.exec(text.slice(start[0].length));
  if (end === null) {
    faults.push({
      line: 1,
      column: 1,
      code: "unclosed-front-matter",
      message: "the front matter is never closed",
      fix: "put --- on a line of its own after the last key",
    });
    return { frontMatter: { ...EMPTY }, faults, lines };
  }
  const counter = new LineCounter();
  const source = text.slice(start[0].length, start[0].length + end.index);
  const document = parseDocument(source, {
    lineCounter: counter,
    prettyErrors: false,
    uniqueKeys: true,
    logLevel: "error",
  });
  // The YAML starts on the file's second line.
  const place = (offset: number) => {
    const { line, col } = counter.linePos(Math.min(offset, source.length));
    return { line: Math.max(1, line) + 1, column: Math.max(1, col) };
  };
  for (const error of document.errors) {
    faults.push({
      ...place(error.pos[0]),
      code: "malformed-yaml",
      message: error.message.split("\n")[0]!.replace(/\.$/, ""),
      fix: "the front matter is YAML: key: value, one to a line; quote values that hold : or #",
    });
  }
  if (isMap(document.contents)) {
    for (const pair of document.contents.items) {
      if (!isScalar(pair.key)) continue;
      const key = String(pair.key.value);
      lines[key] = place(pair.key.range?.[0] ?? 0);
      if (!isNode(pair.value)) continue;
      const items = "items" in pair.value ? (pair.value.items as unknown[]) : [];
      items.forEach((item, index) => {
        if (isNode(item)) lines[`${key}.${index}`] = place(item.range?.[0] ?? 0);
      });
    }
  }
  if (faults.length > 0) return { frontMatter: { ...EMPTY }, faults, lines };

  let value: unknown;
  try {
    value = document.toJS() ?? {};
  } catch (error) {
    // Aliases that point nowhere, or that grow without bound.
    faults.push({
      ...place(0),
      code: "malformed-yaml",
      message: error instanceof Error ? error.message.split("\n")[0]! : "the front matter can't be read",
      fix: "the front matter needs no anchors or aliases: write the values out",
    });
    return { frontMatter: { ...EMPTY }, faults, lines };
  }
  const result = frontMatterSchema.safeParse(value);
  if (result.success) return { frontMatter: result.data, faults, lines };

  const bad = new Set<string>();
  for (const issue of result.error.issues) {
    if (issue.code === "unrecognized_keys") {
      for (const key of issue.keys) {
        const near = nearest(key, KEYS);
        faults.push({
          ...(lines[key] ?? { line: 2, column: 1 }),
          code: "unknown-key",
          message: `unknown key "${key}" in the front matter`,
          fix: near === null ? `it can be ${KEYS.join(", ")}` : `did you mean ${near}?`,
        });
      }
      continue;
    }
    const key = issue.path[0] as keyof FrontMatter | undefined;
    if (key === undefined) {
      faults.push({
        line: 2,
        column: 1,
        code: "bad-front-matter",
        message: "the front matter must be keys and values",
        fix: EXPECTED.title.fix,
      });
      continue;
    }
    if (bad.has(key)) continue;
    bad.add(key);
    const missing = !Object.hasOwn(lines, key);
    const at = lines[issue.path.join(".")] ?? lines[key] ?? { line: 1, column: 1 };
    faults.push({
      ...at,
      code: missing ? "missing-key" : "bad-value",
      message: missing ? `the front matter has no ${key}` : EXPECTED[key].message,
      fix: EXPECTED[key].fix,
    });
  }
  const given = typeof value === "object" && value !== null ? (value as Partial<FrontMatter>) : {};
  const kept = Object.fromEntries(
    KEYS.filter((key) => Object.hasOwn(given, key) && !bad.has(key)).map((key) => [key, given[key]]),
  );
  return { frontMatter: { ...EMPTY, ...kept }, faults, lines };
}
