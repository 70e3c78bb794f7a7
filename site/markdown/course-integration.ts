/**
 * What can only be told of all lessons together (a missing translation, a dead link, a lesson needed that is not there)
 * stops the build as a fault inside one lesson does; while writing it is a warning, since one language is written first.
 */
import type { AstroIntegration } from "astro";
import { assertCourse } from "../lesson/assert.ts";
import { existsFromRoot, readLessons } from "../lesson/cli/lesson-files.ts";

export function strideCourse(): AstroIntegration {
  return {
    name: "stride-course",
    hooks: {
      "astro:server:start"({ logger }) {
        try {
          assertCourse(readLessons(), existsFromRoot);
        } catch (error) {
          logger.warn((error as Error).message);
        }
      },
      "astro:build:start"() {
        if (process.env.STRIDE_LESSONS === undefined) assertCourse(readLessons(), existsFromRoot);
      },
    },
  };
}
