/** Colours for numbers: a scale that is symmetric about zero, and an ink that can be read on it. Pure; no DOM. */
export type Rgb = [number, number, number];

export interface Scale {
  negative: Rgb;
  zero: Rgb;
  positive: Rgb;
}

/** "#rgb" or "#rrggbb". @throws on anything else */
export function parseHex(text: string): Rgb {
  const hex = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text.trim())?.[1];
  if (hex === undefined) throw new Error(`not a colour in hexadecimal: ${text}`);
  const full = hex.length === 3 ? [...hex].map((digit) => digit + digit).join("") : hex;
  return [0, 2, 4].map((at) => Number.parseInt(full.slice(at, at + 2), 16)) as Rgb;
}

/** The colour of a value in −limit…limit; NaN and a limit of 0 give the colour of zero. */
export function colorOf(value: number, limit: number, scale: Scale): Rgb {
  const share = limit > 0 && !Number.isNaN(value) ? Math.max(-1, Math.min(1, value / limit)) : 0;
  const end = share < 0 ? scale.negative : scale.positive;
  const weight = Math.abs(share);
  return scale.zero.map((zero, channel) => Math.round(zero + (end[channel]! - zero) * weight)) as Rgb;
}

/** Relative luminance, as WCAG defines it. */
export function luminance(color: Rgb): number {
  const [r, g, b] = color.map((channel) => {
    const part = channel / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Black or white, whichever reads better on the colour: never below 4.5 to 1. */
export function inkOn(color: Rgb): "#000" | "#fff" {
  return luminance(color) > 0.179 ? "#000" : "#fff";
}

export const cssColor = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

/** The scale that the theme defines on an element. */
export function themeScale(element: Element): Scale {
  const style = getComputedStyle(element);
  const read = (name: string) => parseHex(style.getPropertyValue(name));
  return {
    negative: read("--scale-negative"),
    zero: read("--scale-zero"),
    positive: read("--scale-positive"),
  };
}
