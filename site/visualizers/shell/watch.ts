/** What happens to a host from outside: it leaves sight, changes its width, or the page changes its theme. */
export interface Watched {
  hidden(): void;
  /** @param width of the content, in CSS pixels */
  resized(width: number): void;
  themed(): void;
}

/** Tells of these until the signal is aborted. */
export function watch(host: HTMLElement, watched: Watched, signal: AbortSignal): void {
  document.addEventListener("visibilitychange", () => document.hidden && watched.hidden(), { signal });
  const sight = new IntersectionObserver((entries) => {
    if (entries.some((entry) => !entry.isIntersecting)) watched.hidden();
  });
  sight.observe(host);
  const size = new ResizeObserver(() => {
    const style = getComputedStyle(host);
    const padding = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight);
    watched.resized(Math.floor(host.clientWidth - padding));
  });
  size.observe(host);
  const theme = new MutationObserver(() => watched.themed());
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  signal.addEventListener("abort", () => {
    sight.disconnect();
    size.disconnect();
    theme.disconnect();
  });
}
