/** Words of the visualizers in both languages. Sentences that tell what a step did live here too: a view is read as well as seen. */
import { EN } from "./strings-en.ts";
import { ZH_CN } from "./strings-zh-cn.ts";

export type Strings = typeof EN;

export function stringsFor(locale: "en" | "zh-cn"): Strings {
  return locale === "zh-cn" ? ZH_CN : EN;
}
