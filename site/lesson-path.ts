/** Where a lesson lives on the site: pure string work, shared by the content loader, the pages and the elements. */
import type { Locale } from "./lesson/types.ts";

/** "en/nn/02-convolution.md" → "nn/02-convolution"; other locales keep theirs in front: "zh-cn/nn/02-convolution". */
export function lessonSlug(entry: string): string {
  return entry.replace(/\.md$/, "").replace(/^en\//, "");
}

/** "zh-cn/nn/02-convolution" → its locale, its course and its name; null for what is not a lesson. */
export function splitSlug(slug: string): { locale: Locale; course: string; name: string } | null {
  const match = /^(?:(zh-cn)\/)?([a-z0-9-]+)\/(\d\d-[a-z0-9-]+)$/.exec(slug);
  return match ? { locale: (match[1] as Locale | undefined) ?? "en", course: match[2]!, name: match[3]! } : null;
}

/** The lesson's own number, "02-convolution" → 2. */
export function lessonNumber(name: string): number {
  return Number.parseInt(name, 10);
}
