/** Whatever scrolls sideways gets a tab stop, and only that: readable by keyboard, without stops that lead nowhere. */
export function reachScrollers(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("pre, .wide-table, .katex-display")) {
    // Code of a cell is a tab stop anyway: Enter there opens the editor.
    if (element.closest("[data-part='code']") !== null) continue;
    const scrolls = element.scrollWidth > element.clientWidth + 1;
    if (scrolls) element.tabIndex = 0;
    else if (element.hasAttribute("tabindex")) element.removeAttribute("tabindex");
  }
}
