/** The search dialog over Pagefind's index. Loaded on first use; results are text and links, built node by node. */
import { html, render } from "lit-html";
import { messages } from "../../i18n/index.ts";

interface PagefindResult {
  url: string;
  excerpt: string;
  meta: { title?: string };
  sub_results?: { title: string; url: string; excerpt: string }[];
}

interface Pagefind {
  init(): Promise<void>;
  debouncedSearch(query: string): Promise<{ results: { data(): Promise<PagefindResult> }[] } | null>;
}

let pagefind: Promise<Pagefind | null> | undefined;
let dialog: HTMLDialogElement | undefined;

/** Opens the dialog; `host` says where the index is and which language the page speaks. */
export function openSearch(host: HTMLElement): void {
  const t = messages(host.dataset.locale);
  const index = host.dataset.index ?? "";
  pagefind ??= import(/* @vite-ignore */ index).then(
    async (module: Pagefind) => {
      await module.init();
      return module;
    },
    () => null,
  );
  if (dialog === undefined) {
    dialog = document.createElement("dialog");
    dialog.className = "search";
    dialog.setAttribute("aria-label", t.page.search);
    dialog.addEventListener("click", (event) => {
      // A hit on this very page changes the hash only, under the open dialog.
      if (event.target === dialog || (event.target as Element).closest("a") !== null) dialog?.close();
    });
    dialog.addEventListener("keydown", onArrow);
    document.body.append(dialog);
  }
  const view = (results: PagefindResult[] | null, query: string, available: boolean): void => {
    render(
      html`<div class="search-frame">
        <form method="dialog" class="search-form">
          <input
            class="field"
            type="search"
            aria-label=${t.page.searchPlaceholder}
            placeholder=${t.page.searchPlaceholder}
            @input=${(event: Event) => void search((event.target as HTMLInputElement).value)}
            @keydown=${onInputKey}
          />
          <button class="btn">${t.page.searchClose}</button>
        </form>
        <p class="search-status" role="status">
          ${
            !available
              ? t.page.searchUnavailable
              : results === null
                ? ""
                : results.length === 0
                  ? t.page.searchNothing(query)
                  : t.page.searchCount(results.length)
          }
        </p>
        <ol class="search-results">
          ${(results ?? []).map(
            (result) => html`<li>
              <a href=${result.url}>${result.meta.title ?? result.url}</a>
              <ul>
                ${(result.sub_results ?? [])
                  .slice(0, 4)
                  .map(
                    (part) => html`<li><a href=${part.url}>${part.title}</a> <span>${marked(part.excerpt)}</span></li>`,
                  )}
              </ul>
            </li>`,
          )}
        </ol>
      </div>`,
      dialog!,
    );
  };
  const search = async (query: string): Promise<void> => {
    const engine = await pagefind;
    if (!engine) return view(null, query, false);
    if (query.trim() === "") return view(null, query, true);
    const found = await engine.debouncedSearch(query);
    if (found === null) return;
    view(await Promise.all(found.results.slice(0, 8).map((one) => one.data())), query, true);
  };
  view(null, "", true);
  dialog.showModal();
  dialog.querySelector("input")?.focus();
  void pagefind.then((engine) => engine === null && view(null, "", false));
}

/** Enter goes to the best hit; an Enter that ends a word of an input method goes nowhere. */
function onInputKey(event: KeyboardEvent): void {
  if (event.key !== "Enter") return;
  event.preventDefault();
  if (!event.isComposing) links()[0]?.click();
}

/** Down and up walk through the hits, and back to the field. */
function onArrow(event: KeyboardEvent): void {
  if ((event.key !== "ArrowDown" && event.key !== "ArrowUp") || event.isComposing) return;
  const stops = [...(dialog?.querySelectorAll<HTMLElement>("input") ?? []), ...links()];
  const next = stops[stops.indexOf(document.activeElement as HTMLElement) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}

function links(): HTMLElement[] {
  return [...(dialog?.querySelectorAll<HTMLElement>(".search-results a") ?? [])];
}

/** Pagefind's excerpt is escaped text with <mark>: taken apart as text, so that nothing else can come through. */
function marked(excerpt: string): unknown[] {
  return excerpt.split(/(<mark>.*?<\/mark>)/).map((part) => {
    const hit = /^<mark>(.*)<\/mark>$/.exec(part)?.[1];
    return hit === undefined ? plain(part) : html`<mark>${plain(hit)}</mark>`;
  });
}

function plain(text: string): string {
  return new DOMParser().parseFromString(text, "text/html").documentElement.textContent ?? "";
}
