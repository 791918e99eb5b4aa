/**
 * Keeps the page for visits without a network, and isolates it, so that WebAssembly may have threads (from the second
 * visit on) also where the host sends no headers. The model is not its business: the captioner keeps that.
 * The build puts in the files and a name that changes with them.
 */
const cacheName = '__NAME__';
const files = __FILES__;
const prefix = 'refcap-page-';

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(cacheName)
      .then((cache) => Promise.all(files.map((file) => keep(cache, new Request(file, { cache: 'reload' })))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  const isOld = (name) => name.startsWith(prefix) && name !== cacheName;
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const scope = new URL(self.registration.scope);
  if (request.method !== 'GET' || origin !== scope.origin) return;
  if (!pathname.startsWith(scope.pathname)) return;
  if (pathname.startsWith(`${scope.pathname}model/`)) return;
  event.respondWith(answer(request));
});

/** From the cache; what is not there (such as the WebAssembly of WebGPU) is fetched once and kept. */
async function answer(request) {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(request, { ignoreSearch: true });
  return kept ?? keep(cache, request);
}

/** Fetches it, and keeps it as it will be answered: with a response that the cache gave, browsers keep compiled code. */
async function keep(cache, request) {
  const response = isolated(await fetch(request));
  if (response.ok) await cache.put(request, response.clone());
  return response;
}

function isolated(response) {
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  headers.set('cross-origin-opener-policy', 'same-origin');
  headers.set('cross-origin-embedder-policy', 'require-corp');
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}
