/** A short fingerprint of a cell's starter text, to notice when the author changed it. */

/**
 * Comments and spacing don't count: a translated comment, or a formatter's touch, is no new exercise, and a student's
 * work carries over between the languages of a lesson.
 */
export function starterHash(source: string): string {
  return fingerprint(
    source
      .replace(/\/\*[\s\S]*?\*\//g, "")
      .replace(/(^|[^:"'`])\/\/[^\n]*/g, "$1")
      .replace(/\s+/g, " ")
      .trim(),
  );
}

/** 53 bits of cyrb53 in base 36: enough to tell texts apart, no secret in it. */
function fingerprint(text: string): string {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (4294967296 * (2097151 & low) + (high >>> 0)).toString(36);
}
