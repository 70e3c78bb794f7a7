import { defineCollection } from "astro:content";
import { i18nLoader } from "@astrojs/starlight/loaders";
import { docsSchema, i18nSchema } from "@astrojs/starlight/schema";
import { glob } from "astro/loaders";
import { z } from "astro/zod";
import { lessonSlug } from "./lesson-path.ts";

/** Lessons are the only documents: lessons/<locale>/<course>/<nn>-<slug>.md, English at the root of the site. */
export const collections = {
  /** Starlight's own words where ours are better. */
  i18n: defineCollection({ loader: i18nLoader(), schema: i18nSchema() }),
  docs: defineCollection({
    loader: glob({
      base: process.env.STRIDE_LESSONS ?? "./lessons",
      pattern: "*/*/*.md",
      generateId: ({ entry }) => lessonSlug(entry),
    }),
    schema: docsSchema({
      extend: z.object({
        // A lesson has these, and site/lesson checks them with file and line; they are optional here only because
        // Starlight makes pages of its own (the 404 page, the home page) with the same schema.
        chapter: z.string().optional(),
        minutes: z.number().optional(),
        needs: z.array(z.string()).default([]),
        seed: z.number().default(0),
      }),
    }),
  }),
};
