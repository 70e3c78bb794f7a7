/** Who drew the stand-in's pictures, and under which licence: named at the foot of every page, at length in NOTICE. */
export interface Artwork {
  name: string;
  maker: string;
  source: string;
  licence: string;
  licenceUrl: string;
}

const APACHE = { licence: "Apache 2.0", licenceUrl: "https://www.apache.org/licenses/LICENSE-2.0" };
const CC_BY = { licence: "CC BY 4.0", licenceUrl: "https://creativecommons.org/licenses/by/4.0/" };

export const ARTWORK: readonly Artwork[] = [
  { name: "Noto Emoji", maker: "Google", source: "https://github.com/googlefonts/noto-emoji", ...APACHE },
  { name: "Firefox OS Emoji", maker: "Mozilla", source: "https://github.com/mozilla/fxemoji", ...APACHE },
  { name: "Twemoji", maker: "Twitter and contributors", source: "https://github.com/jdecked/twemoji", ...CC_BY },
  { name: "EmojiTwo", maker: "Emoji One and contributors", source: "https://github.com/EmojiTwo/emojitwo", ...CC_BY },
  {
    name: "Streamline Emojis",
    maker: "Streamline",
    source: "https://github.com/webalys-hq/streamline-vectors",
    ...CC_BY,
  },
  {
    name: "Fluent Emoji",
    maker: "Microsoft",
    source: "https://github.com/microsoft/fluentui-emoji",
    licence: "MIT",
    licenceUrl: "https://github.com/microsoft/fluentui-emoji/blob/main/LICENSE",
  },
];
