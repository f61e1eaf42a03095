// Answers for the server when there is no signal: with the empty page, and by keeping a talk.
"use strict";
// The stamp is made of all that is kept, so that another name, language or form is fetched anew.
const NAME = "shell-" + STAMP;
const WAIT = 10000;
// Only these are worth giving up on: a long report may take its time.
const PHONE = /^\/($|mine$|log($|\/)|outbox$|tests\/[^/]+\/mine$|ballots\/[^/]+\/votes$)/;
const TALK = /^\/log\/([0-9a-f-]{36})$/;
// Taps on the list of a test or a ballot.
const TAP = /^(\/tests\/[0-9a-f-]{36}\/mine|\/ballots\/[0-9a-f-]{36}\/votes)(?:\/([0-9a-f-]{36}))?$/;
const trusted = self.trustedTypes
  ? trustedTypes.createPolicy("worker", { createScriptURL: () => VAULT })
  : { createScriptURL: (address) => address };
importScripts(trusted.createScriptURL(VAULT));

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(NAME).then((kept) => kept.addAll([...KEEP, SHELL, HIDE].filter(Boolean))));
});
self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name !== NAME) await caches.delete(name);
    await self.clients.claim();
  })());
});

function within(request) {
  return new Promise((ok, no) => {
    setTimeout(() => no(new Error("no answer")), WAIT);
    fetch(request).then(ok, no);
  });
}
async function shell(path) {
  return (await caches.match(path === HIDE ? HIDE : SHELL)) || Response.error();
}
async function open(request, path) {
  try {
    const answer = await (PHONE.test(path) ? within(request) : fetch(request));
    // Where the server is down a proxy answers in its place, without the mark of our own pages.
    if (![502, 503, 504].includes(answer.status) || answer.headers.has("X-Request-Id")) return answer;
  } catch (away) { /* The empty page says so. */ }
  return shell(path);
}
// A talk or tap that could not be sent is kept; the server stores it once, even if it had arrived.
async function send(request, path) {
  const copy = request.clone(), at = Date.now(), tap = TAP.exec(path);
  try {
    const answer = await within(request);
    // The server, or a proxy before it, could not store the talk: what was typed must not go.
    if (answer.status < 500) return answer;
    throw new Error("not stored");
  } catch (away) {
    const fields = [...(await copy.formData()).entries()].map(([name, value]) => [name, String(value)])
      .filter((field) => field[0] !== "csrf_token");
    const id = (fields.find((field) => field[0] === "id") || [])[1] || crypto.randomUUID();
    if (!tap) {
      await Vault.queue(TALK.exec(path)[1], fields, id);
      return Response.redirect("/outbox", 303);
    }
    const [name, value] = fields[0] || [];
    // Taking back what the server has cannot wait: by then it might take back something else.
    if (!name || name === "back" || value === "nothing") return Response.redirect(tap[1], 303);
    await Vault.queue(path, [[name, value]], id, tap[2] ? [tap[1], tap[2], value] : [tap[1], value, name], at);
    return Response.redirect(tap[1] + "?kept", 303);
  }
}

self.addEventListener("fetch", (event) => {
  const request = event.request, address = new URL(request.url);
  if (address.origin !== location.origin) return;
  if (request.method === "GET" && KEEP.includes(address.pathname + address.search)) {
    event.respondWith(caches.match(request).then((kept) => kept || fetch(request)));
  } else if (request.mode === "navigate" && request.method === "GET") {
    event.respondWith(open(request, address.pathname));
  } else if (request.mode === "navigate" && request.method === "POST" && (TALK.test(address.pathname) || TAP.test(address.pathname))) {
    event.respondWith(send(request, address.pathname));
  }
});
