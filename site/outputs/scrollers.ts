/** Whatever scrolls gets a tab stop, and only that: readable by keyboard, without stops that lead nowhere. */
export function reachScrollers(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("pre, .wide-table, .katex-display")) {
    // Code that can be edited is a tab stop anyway: Enter there opens the editor.
    if (element.dataset.bound !== undefined) continue;
    const scrolls = element.scrollWidth > element.clientWidth + 1 || element.scrollHeight > element.clientHeight + 1;
    if (scrolls) element.tabIndex = 0;
    else if (element.hasAttribute("tabindex")) element.removeAttribute("tabindex");
  }
}
