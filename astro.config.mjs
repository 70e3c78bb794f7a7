import { unified } from "@astrojs/markdown-remark";
import starlight from "@astrojs/starlight";
import { defineConfig } from "astro/config";
import rehypeKatex from "rehype-katex";
import remarkMath from "remark-math";
import { strideData } from "./site/data/vite-plugin.ts";
import { strideTypes } from "./site/editor/vite-plugin.ts";
import { strideKernel } from "./site/kernel/vite-plugin.ts";
import { lateStyles } from "./site/late-styles.ts";
import { strideCourse } from "./site/markdown/course-integration.ts";
import { remarkLesson } from "./site/markdown/remark-lesson.ts";
import { offline } from "./site/offline.ts";

// STRIDE_BASE puts the site under a path ("/stride/"), STRIDE_SITE names its address for links that must be absolute.
const base = process.env.STRIDE_BASE || "/";
const site = process.env.STRIDE_SITE || "http://localhost:4321";

export default defineConfig({
  site,
  base,
  srcDir: "./site",
  publicDir: "./site/public",
  outDir: process.env.STRIDE_OUT || "./dist/site",
  trailingSlash: "always",
  devToolbar: { enabled: false },
  // Style sheets of parts that load later must stay files: their loaders ask for them by name.
  build: { inlineStylesheets: "never" },
  markdown: {
    // Cells and plain fences are highlighted by remarkLesson, one line to an element, in both themes at once.
    syntaxHighlight: false,
    processor: unified({
      remarkPlugins: [remarkMath, remarkLesson],
      rehypePlugins: [[rehypeKatex, { strict: "error", trust: false }]],
    }),
  },
  integrations: [
    strideCourse(),
    starlight({
      title: "Stride",
      description: "torch.nn in the browser: lessons that run, with PyTorch's own digits.",
      favicon: "/favicon.svg",
      locales: {
        root: { label: "English", lang: "en" },
        "zh-cn": { label: "简体中文", lang: "zh-CN" },
      },
      customCss: ["./site/styles/index.css"],
      expressiveCode: false,
      disable404Route: true,
      tableOfContents: false,
      markdown: { headingLinks: false },
      routeMiddleware: "./site/components/page/contents.ts",
      components: {
        Header: "./site/components/page/Header.astro",
        SiteTitle: "./site/components/page/SiteTitle.astro",
        PageFrame: "./site/components/page/PageFrame.astro",
        TwoColumnContent: "./site/components/page/TwoColumnContent.astro",
        ContentPanel: "./site/components/page/ContentPanel.astro",
        Sidebar: "./site/components/page/Sidebar.astro",
        PageTitle: "./site/components/page/PageTitle.astro",
        MarkdownContent: "./site/components/page/MarkdownContent.astro",
        Footer: "./site/components/page/Footer.astro",
        Pagination: "./site/components/page/Pagination.astro",
        ThemeProvider: "./site/components/page/ThemeProvider.astro",
        ThemeSelect: "./site/components/page/ThemeSelect.astro",
        Search: "./site/components/page/Search.astro",
        LanguageSelect: "./site/components/page/LanguageSelect.astro",
      },
    }),
    // Before the service worker, which counts what the pages hold.
    lateStyles(),
    offline(),
  ],
  vite: {
    plugins: [strideKernel(), strideData(), strideTypes()],
    worker: { format: "es" },
    // Pre-bundling would tear Monaco from its workers. The others load late: found only then, the dev server would reload the
    // page under the first run.
    optimizeDeps: {
      exclude: ["monaco-editor"],
      include: [
        "@sveltejs/acorn-typescript",
        "acorn",
        "comlink",
        "idb",
        "lit-html",
        "lit-html/directive.js",
        "lit-html/directives/class-map.js",
        "lit-html/directives/live.js",
        "lit-html/directives/style-map.js",
      ],
    },
    build: { target: "es2022" },
  },
});
