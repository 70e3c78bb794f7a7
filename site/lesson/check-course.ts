/** Whether the lessons fit together: what they need, where they link, and that both languages hold the same lesson. */
import { anchorsOf, checkParsed, decode } from "./check.ts";
import { sortDiagnostics } from "./diagnostic.ts";
import { nearest } from "./nearest.ts";
import { type ParsedLesson, parseLesson } from "./parse.ts";
import { compareTranslations } from "./translations.ts";
import { type Diagnostic, LOCALES } from "./types.ts";

export interface CourseFile {
  /** From the project root, with forward slashes. */
  file: string;
  text: string;
}

/**
 * Everything that can be said about a set of lessons without running them, from top to bottom of each file.
 * @param exists whether a file beside the lessons (a picture) is there, by path from the project root
 */
export function checkCourse(files: readonly CourseFile[], exists: (path: string) => boolean): Diagnostic[] {
  const parsed = files.map(({ file, text }) => parseLesson(text, file));
  const found = parsed.flatMap((one) => [...one.diagnostics, ...checkParsed(one)]);
  const placed = parsed.filter((one) => one.lesson.slug !== "");
  for (const one of placed) {
    found.push(...checkNumber(one, placed), ...checkNeeds(one, placed), ...checkLinks(one, parsed, exists));
    found.push(...checkTranslations(one, placed));
  }
  return sortDiagnostics(found);
}

function siblings(one: ParsedLesson, all: readonly ParsedLesson[]): ParsedLesson[] {
  return all.filter(({ lesson }) => lesson.locale === one.lesson.locale && lesson.course === one.lesson.course);
}

function checkNumber({ lesson }: ParsedLesson, all: readonly ParsedLesson[]): Diagnostic[] {
  const twin = siblings({ lesson } as ParsedLesson, all).find(
    (other) => other.lesson.slug < lesson.slug && other.lesson.slug.slice(0, 3) === lesson.slug.slice(0, 3),
  );
  if (twin === undefined) return [];
  return [
    {
      file: lesson.file,
      line: 1,
      column: 1,
      code: "duplicate-number",
      message: `lesson number ${lesson.slug.slice(0, 2)} is already taken by ${twin.lesson.slug}`,
      fix: "give the file the next free number",
    },
  ];
}

function checkNeeds(one: ParsedLesson, all: readonly ParsedLesson[]): Diagnostic[] {
  const { lesson, places } = one;
  const others = siblings(one, all).map((other) => other.lesson.slug);
  return lesson.frontMatter.needs.flatMap((need, index): Diagnostic[] => {
    const place = places.frontMatter[`needs.${index}`] ?? places.frontMatter.needs ?? { line: 1, column: 1 };
    const at = { file: lesson.file, line: place.line, column: place.column };
    if (!others.includes(need)) {
      const near = nearest(need, others);
      return [
        {
          ...at,
          code: "unknown-need",
          message: `needs ${need}, which is no lesson of ${lesson.locale}/${lesson.course}`,
          fix: near === null ? `the lessons are ${others.join(", ")}` : `did you mean ${near}?`,
        },
      ];
    }
    if (need >= lesson.slug) {
      return [
        {
          ...at,
          code: "need-not-earlier",
          message: `needs ${need}, which does not come before it`,
          fix: "a lesson can only need lessons with a lower number",
        },
      ];
    }
    return [];
  });
}

function checkLinks(one: ParsedLesson, all: readonly ParsedLesson[], exists: (path: string) => boolean): Diagnostic[] {
  const { lesson, places } = one;
  const found: Diagnostic[] = [];
  for (const { url, line, column } of places.links) {
    if (url.startsWith("#") || /^[a-z][a-z0-9+.-]*:/i.test(url)) continue;
    const fault = (code: string, message: string, fix: string) =>
      found.push({ file: lesson.file, line, column, code, message, fix });
    const [path = "", anchor = ""] = decode(url).split("#", 2);
    if (path.startsWith("/")) {
      fault(
        "absolute-link",
        `the link ${url} leaves the folder that the site may stand in`,
        "link to the lesson's file, relative to this one: 02-convolution.md",
      );
      continue;
    }
    const target = resolvePath(lesson.file, path.replace(/\?.*$/, ""));
    const goal = all.find((other) => other.lesson.file === target);
    if (goal !== undefined) {
      const anchors = anchorsOf(goal);
      if (anchor !== "" && !anchors.includes(anchor)) {
        const near = nearest(anchor, anchors);
        fault(
          "dead-link",
          `nothing in ${target} is called #${anchor}`,
          near === null ? "link to a heading or to an id" : `did you mean ${path}#${near}?`,
        );
      }
    } else if (/\.[a-z0-9]+$/i.test(path) && !path.endsWith(".md") && exists(target)) {
      // A picture beside the lesson.
    } else {
      const names = siblings(one, all).map((other) => `${other.lesson.slug}.md`);
      const near = nearest(
        path
          .replace(/\/$/, "")
          .replace(/(\.md)?$/, ".md")
          .replace(/^(\.\.?\/)+/, ""),
        names,
      );
      fault(
        "dead-link",
        `the link ${url} leads to nothing`,
        near === null ? "link to a lesson's file: 02-convolution.md" : `did you mean ${near}?`,
      );
    }
  }
  return found;
}

/** A path relative to a file, from the project root. */
export function resolvePath(file: string, path: string): string {
  const parts = file.split("/").slice(0, -1);
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function checkTranslations(one: ParsedLesson, all: readonly ParsedLesson[]): Diagnostic[] {
  const { lesson } = one;
  const found: Diagnostic[] = [];
  for (const locale of LOCALES) {
    if (locale === lesson.locale) continue;
    const other = all.find(
      (candidate) =>
        candidate.lesson.locale === locale &&
        candidate.lesson.course === lesson.course &&
        candidate.lesson.slug === lesson.slug,
    );
    if (other === undefined) {
      found.push({
        file: lesson.file,
        line: 1,
        column: 1,
        code: "missing-translation",
        message: `${locale}/${lesson.course}/${lesson.slug}.md is missing`,
        fix: "write it beside this one: same cells, same twins, same outputs",
      });
    } else if (lesson.locale !== LOCALES[0] && locale === LOCALES[0] && one.whole && other.whole) {
      // The default language is the measure: what differs is told of the translation.
      found.push(...compareTranslations(other, one));
    }
  }
  return found;
}
