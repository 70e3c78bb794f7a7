/**
 * The elements of a lesson page. The two that every reader meets are small and come at once; the others load when the page
 * has them and they come near, and nothing of the kernel or an editor loads before it is used.
 */
import { reachScrollers } from "../outputs/scrollers.ts";
import { StrideCell } from "./cell.ts";
import { StrideLesson } from "./lesson.ts";

if (!customElements.get("stride-cell")) customElements.define("stride-cell", StrideCell);
if (!customElements.get("stride-lesson")) customElements.define("stride-lesson", StrideLesson);

/** Tag → what defines it. */
const LATER: Record<string, () => Promise<unknown>> = {
  "stride-exercise": () => import("./exercise.ts"),
  "stride-predict": () => import("./predict.ts"),
  "stride-quiz": () => import("./quiz.ts"),
  "stride-tensorboard": () => import("./tensorboard.ts"),
  "stride-visualizer": () => import("../visualizers/index.ts"),
};

/** How far below the window an element begins to load: about two screens of scrolling. */
const NEAR = "1200px 0px";

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      const load = LATER[target.localName];
      near.unobserve(target);
      if (load === undefined) continue;
      delete LATER[target.localName];
      // Offline, or a deploy in between: the static HTML stays readable, and the next visit tries again.
      load().catch((error: unknown) => console.warn(`<${target.localName}> did not load`, error));
    }
  },
  { rootMargin: NEAR },
);
for (const tag of Object.keys(LATER)) {
  for (const element of document.querySelectorAll(tag)) near.observe(element);
}

const reach = () => reachScrollers(document);
reach();
addEventListener("resize", reach);
document.fonts?.ready.then(reach);
