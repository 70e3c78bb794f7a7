/** Small helpers of the elements that every reader loads: no library for what a few lines do. */

export function part<T extends HTMLElement = HTMLElement>(root: ParentNode, name: string): T | null {
  return root.querySelector<T>(`[data-part="${name}"]`);
}

export function action(root: ParentNode, name: string): HTMLButtonElement | null {
  return root.querySelector<HTMLButtonElement>(`button[data-action="${name}"]`);
}

/** Text into an element, touching the page only when it changes: a live region speaks once. */
export function say(element: Element | null, text: string): void {
  if (element !== null && element.textContent !== text) element.textContent = text;
}

export function button(text: string, className: string, onClick: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  element.type = "button";
  element.className = className;
  element.textContent = text;
  element.addEventListener("click", onClick);
  return element;
}
