/** The course's table of contents, made from the lessons themselves at every build and reload: nothing to keep in step. */

import { getCollection } from "astro:content";
import { defineRouteMiddleware, type StarlightRouteData } from "@astrojs/starlight/route-data";
import { splitSlug } from "../../lesson-path.ts";

export interface ContentsEntry {
  /** "nn/02-convolution" without the locale. */
  lesson: string;
  course: string;
  name: string;
  href: string;
  title: string;
  description: string;
  chapter: string;
  minutes: number;
  /** Path of the Markdown file from the project root. */
  file: string;
}

/** Lessons of one locale in reading order; a lesson that is not translated yet appears in English. */
export async function contents(locale: string | undefined): Promise<ContentsEntry[]> {
  const base = import.meta.env.BASE_URL.replace(/\/$/, "");
  const prefix = locale === "zh-cn" ? `${base}/zh-cn/` : `${base}/`;
  const byLesson = new Map<string, ContentsEntry>();
  for (const entry of await getCollection("docs")) {
    const path = splitSlug(entry.id);
    if (!path || (path.locale !== "en" && path.locale !== locale)) continue;
    const lesson = `${path.course}/${path.name}`;
    if (path.locale === "en" && byLesson.has(lesson)) continue;
    byLesson.set(lesson, {
      lesson,
      course: path.course,
      name: path.name,
      href: `${prefix}${lesson}/`,
      title: entry.data.title,
      description: entry.data.description ?? "",
      chapter: entry.data.chapter ?? "",
      minutes: entry.data.minutes ?? 0,
      file: entry.filePath ?? "",
    });
  }
  return [...byLesson.values()].sort((a, b) => (a.lesson < b.lesson ? -1 : 1));
}

type Link = Extract<StarlightRouteData["sidebar"][number], { type: "link" }>;

export const onRequest = defineRouteMiddleware(async (context) => {
  const route = context.locals.starlightRoute;
  const lessons = await contents(route.locale);
  const links = lessons.map(
    (entry): Link => ({
      type: "link",
      label: entry.title,
      href: entry.href,
      isCurrent: entry.href === context.url.pathname,
      badge: undefined,
      attrs: {},
    }),
  );
  route.sidebar = links;
  const at = links.findIndex((link) => link.isCurrent);
  route.pagination = { prev: links[at - 1], next: at < 0 ? undefined : links[at + 1] };
});
