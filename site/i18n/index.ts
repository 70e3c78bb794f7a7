import { en, type Messages } from "./en.ts";
import { zhCn } from "./zh-cn.ts";

export type { Messages };

/** The page's words in a locale; anything but "zh-cn" is English, the default. */
export function messages(locale: string | undefined | null): Messages {
  return locale === "zh-cn" ? zhCn : en;
}
