/**
 * Remark plugin: directives as lessons write them. Takes the place of remark-directive, from which it differs in two
 * ways: three colons may be used at every depth (:::hint in :::exercise), and a single colon in prose ("at 10:30") stays
 * the text it is.
 */
import remarkDirective from "remark-directive";
import type { Plugin } from "unified";
import { nestDirectives } from "./outline.ts";

export const remarkLessonDirectives: Plugin<[]> = function () {
  remarkDirective.call(this as never);
  const added = (this.data() as { micromarkExtensions?: { text?: unknown }[] }).micromarkExtensions?.at(-1);
  if (added !== undefined) delete added.text;
  const parse = this.parser;
  if (parse === undefined) throw new Error("remarkLessonDirectives: use it after remark-parse");
  this.parser = (document, file) => parse.call(this as never, nestDirectives(document), file);
};
