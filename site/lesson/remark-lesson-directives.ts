/**
 * Remark plugin: directives as lessons write them. Takes the place of remark-directive, from which it differs in two
 * ways: three colons may be used at every depth (:::hint in :::exercise), and a single colon in prose ("at 10:30") stays
 * the text it is.
 */
import remarkDirective from "remark-directive";
import type { Processor } from "unified";
import { nestDirectives } from "./outline.ts";

/** @param this the processor, of whatever trees: plugins and tests hold it by different types */
export function remarkLessonDirectives(this: unknown): void {
  const processor = this as Processor;
  remarkDirective.call(processor as never);
  const added = (processor.data() as { micromarkExtensions?: { text?: unknown }[] }).micromarkExtensions?.at(-1);
  if (added !== undefined) delete added.text;
  const parse = processor.parser;
  if (parse === undefined) throw new Error("remarkLessonDirectives: use it after remark-parse");
  processor.parser = (document, file) => parse.call(processor as never, nestDirectives(document), file);
}
