/**
 * Makes the site work without a network once it was opened: pages by the network first, so that a lesson is never older
 * than it must be; everything with a hash in its name from the cache, since it can't change. Written into dist/ by
 * site/offline.ts, which puts in the list of files that a first visit brings along.
 */

/** The little of a service worker's world that is used here: the project's types are those of a page. */
interface WorkerScope {
  registration: { scope: string };
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(
    type: "install" | "activate",
    listener: (event: { waitUntil(work: Promise<unknown>): void }) => void,
  ): void;
  addEventListener(
    type: "fetch",
    listener: (event: { request: Request; respondWith(answer: Promise<Response>): void }) => void,
  ): void;
}

const worker = self as unknown as WorkerScope;
/** Paths below the base, and a name that changes with them. */
declare const PRECACHE: string[];
declare const VERSION: string;

const CACHE = `stride-${VERSION}`;
/** Milliseconds that a page waits for a slow network when an older copy is at hand. */
const PATIENCE = 3000;

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(CACHE).then(async (cache) => {
      // One missing file must not cost the others.
      await Promise.allSettled(PRECACHE.map((path) => cache.add(new URL(path, worker.registration.scope).href)));
      await worker.skipWaiting();
    }),
  );
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then(async (names) => {
      await Promise.all(
        names.filter((name) => name.startsWith("stride-") && name !== CACHE).map((name) => caches.delete(name)),
      );
      await worker.clients.claim();
    }),
  );
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(worker.registration.scope)) return;
  if (request.mode === "navigate") event.respondWith(pageOf(request));
  else if (new URL(request.url).pathname.includes("/_astro/")) event.respondWith(fixed(request));
  else event.respondWith(fresh(request));
});

/** The network's answer if it comes in time, else the kept copy. */
async function pageOf(request: Request): Promise<Response> {
  const kept = await caches.match(request, { ignoreSearch: true });
  const network = fetch(request).then(keep(request));
  if (kept === undefined) return network;
  const slow = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), PATIENCE));
  return Promise.race([network.catch(() => kept), slow]);
}

async function fixed(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request).then(keep(request));
}

async function fresh(request: Request): Promise<Response> {
  try {
    return await fetch(request).then(keep(request));
  } catch (error) {
    const kept = await caches.match(request, { ignoreSearch: true });
    if (kept === undefined) throw error;
    return kept;
  }
}

const keep =
  (request: Request) =>
  async (response: Response): Promise<Response> => {
    if (response.ok && response.type === "basic") {
      const cache = await caches.open(CACHE);
      await cache.put(request, response.clone());
    }
    return response;
  };
