// What the phone keeps, and how: talks sealed to the server, a list sealed under its owner's code.
// Runs in pages and in the worker. The same sealing, on the server, is in crm/web/sealing.py.
self.Vault = (function () {
  "use strict";
  var subtle = self.crypto && self.crypto.subtle, EC = { name: "ECDH", namedCurve: "P-256" };
  var ROUNDS = 600000, TRIES = 10, DAY = 86400000, LONGEST = 14 * DAY;
  var text = new TextEncoder(), open_ = null;

  function db() {
    open_ = open_ || new Promise(function (ok, no) {
      var r = indexedDB.open("phone", 1);
      r.onupgradeneeded = function () {
        r.result.createObjectStore("keep");
        r.result.createObjectStore("talks", { keyPath: "id" });
      };
      r.onsuccess = function () {
        r.result.onversionchange = r.result.onclose = function () { r.result.close(); open_ = null; };
        ok(r.result);
      };
      r.onerror = function () { open_ = null; no(r.error); };
    });
    return open_;
  }
  // One transaction; done when the disk has it, because a phone may be switched off at once.
  function inStore(name, mode, work) {
    return db().then(function (d) {
      return new Promise(function (ok, no) {
        var t = d.transaction(name, mode, { durability: "strict" }), r = work(t.objectStore(name));
        t.oncomplete = function () { ok(r && r.result); };
        t.onerror = t.onabort = function () { no(t.error); };
      });
    });
  }
  function get(key) { return inStore("keep", "readonly", function (s) { return s.get(key); }); }
  function put(key, value) { return inStore("keep", "readwrite", function (s) { s.put(value, key); }); }
  function drop(keys) {
    return inStore("keep", "readwrite", function (s) { keys.forEach(function (k) { s.delete(k); }); });
  }

  function join(parts) {
    var size = parts.reduce(function (n, p) { return n + p.length; }, 0), all = new Uint8Array(size), at = 0;
    parts.forEach(function (p) { all.set(p, at); at += p.length; });
    return all;
  }
  function bytes(b64) { return Uint8Array.from(atob(b64), function (c) { return c.charCodeAt(0); }); }
  function b64(raw) {
    var s = "";
    raw.forEach(function (n) { s += String.fromCharCode(n); });
    return btoa(s);
  }
  async function secret(mine, theirs, salt) {
    var bits = await subtle.deriveBits({ name: "ECDH", public: theirs }, mine, 256);
    var base = await subtle.importKey("raw", bits, "HKDF", false, ["deriveKey"]);
    return subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt: salt, info: text.encode("shopfloor phone 1") },
      base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  }
  async function seal(point, what, bound) {
    var pair = await subtle.generateKey(EC, false, ["deriveBits"]);
    var mine = new Uint8Array(await subtle.exportKey("raw", pair.publicKey));
    var key = await secret(pair.privateKey, await subtle.importKey("raw", point, EC, false, []), join([mine, point]));
    var nonce = crypto.getRandomValues(new Uint8Array(12)), said = JSON.stringify(what);
    // All lengths alike to within two thousand letters: the length of a talk tells something too.
    var plain = text.encode(said), room = new Uint8Array(2048 - plain.length % 2048).fill(32);
    var shut = await subtle.encrypt({ name: "AES-GCM", iv: nonce, additionalData: text.encode(bound) }, key, join([plain, room]));
    return join([mine, nonce, new Uint8Array(shut)]);
  }
  async function unseal(privateKey, point, letter, bound) {
    var sender = letter.slice(0, 65);
    var key = await secret(privateKey, await subtle.importKey("raw", sender, EC, false, []), join([sender, point]));
    var plain = await subtle.decrypt({ name: "AES-GCM", iv: letter.slice(65, 77), additionalData: text.encode(bound) }, key, letter.slice(77));
    return JSON.parse(new TextDecoder().decode(plain));
  }
  async function codeKey(code, salt) {
    var base = await subtle.importKey("raw", text.encode(code), "PBKDF2", false, ["deriveKey"]);
    return subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt: salt, iterations: ROUNDS },
      base, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  }

  // Of the list: a pair of keys, so that a new list can be sealed without asking for the code.
  async function setCode(code) {
    var pair = await subtle.generateKey(EC, true, ["deriveBits"]);
    var salt = crypto.getRandomValues(new Uint8Array(16)), nonce = crypto.getRandomValues(new Uint8Array(12));
    var inside = await subtle.exportKey("pkcs8", pair.privateKey);
    var shut = await subtle.encrypt({ name: "AES-GCM", iv: nonce }, await codeKey(code, salt), inside);
    await put("lock", { salt: salt, nonce: nonce, shut: new Uint8Array(shut), tries: 0,
      point: new Uint8Array(await subtle.exportKey("raw", pair.publicKey)) });
    await drop(["list"]);
  }
  // The key that opens the list, or null for a wrong code. After ten wrong ones the list is gone.
  async function unlock(code) {
    var lock = await get("lock");
    if (!lock) return null;
    lock.tries += 1;
    await put("lock", lock);
    try {
      var inside = await subtle.decrypt({ name: "AES-GCM", iv: lock.nonce }, await codeKey(code, lock.salt), lock.shut);
      lock.tries = 0;
      await put("lock", lock);
      return subtle.importKey("pkcs8", inside, EC, false, ["deriveBits"]);
    } catch (wrong) {
      if (lock.tries >= TRIES) await forgetList();
      return null;
    }
  }
  function forgetList() { return drop(["lock", "list"]); }
  async function putList(people) {
    var lock = await get("lock");
    if (lock) await put("list", { at: Date.now(), shut: await seal(lock.point, people, "list") });
  }
  async function openList(key) {
    var lock = await get("lock"), list = await get("list");
    return lock && list ? unseal(key, lock.point, list.shut, "list") : [];
  }

  // A talk is sealed before anything else is tried: from then on it cannot be lost, nor be read.
  // to: the person of a talk, or the address that a tap on a list is for. label: what the list's
  // owner may still read of it here, under their code.
  async function queue(to, fields, id, label, at) {
    var me = await get("me"), lock = await get("lock"), now = at || Date.now();
    if (!me) throw new Error("nobody has signed in here");
    var held = { id: id, owner: me.owner, at: now, state: "ready",
      draft: fields.some(function (f) { return f[0] === "later"; }) };
    var by = {};
    fields.forEach(function (f) { (by[f[0]] = by[f[0]] || []).push(f[1]); });
    var said = { owner: me.owner, at: now, fields: Object.entries(by) };
    said[to[0] === "/" ? "page" : "contact"] = to;
    held.sealed = b64(await seal(me.key, said, id));
    if (lock) held.label = await seal(lock.point, label || to, id);
    await inStore("talks", "readwrite", function (s) { s.put(held); });
    // A browser short of room throws away what it was not asked to keep.
    if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(function () {});
    return held;
  }
  function talks() { return inStore("talks", "readonly", function (s) { return s.getAll(); }); }
  // What the server said of a talk, and why. One that was typed on meanwhile has another moment, and
  // stays. over: nothing may stay of what was said.
  function settle(talk, state, why, over) {
    return inStore("talks", "readwrite", function (s) {
      var r = s.get(talk.id);
      r.onsuccess = function () {
        var now = r.result;
        if (!now || now.at !== talk.at) return;
        if (state === "kept" || state === "done") return s.delete(now.id);
        now.state = state;
        now.why = why;
        now.done = Date.now();
        // What this server cannot open today it may open tomorrow, with its old secret put back.
        if (state === "sent" || state === "dropped") delete now.sealed;
        if (over) delete now.label;
        s.put(now);
      };
    });
  }
  async function retry() {
    for (var talk of await talks()) if (talk.state === "damaged") await settle(talk, "ready");
  }
  // From here on nobody can say for sure that the server does not have it.
  function tried(batch) {
    return inStore("talks", "readwrite", function (s) {
      batch.forEach(function (t) {
        var r = s.get(t.id);
        r.onsuccess = function () { if (r.result && r.result.at === t.at) s.put(Object.assign(r.result, { tried: true })); };
      });
    });
  }
  function remove(ids) {
    return inStore("talks", "readwrite", function (s) { ids.forEach(function (id) { s.delete(id); }); });
  }
  // Nothing stays longer than two weeks; what was sent only until the next day. Returns how many
  // talks went that were never sent.
  async function sweep() {
    var now = Date.now(), list = await get("list"), lock = await get("lock");
    if (lock && list && now - list.at > LONGEST) await forgetList();
    var gone = (await talks()).filter(function (t) {
      return t.sealed ? now - t.at > LONGEST : now - t.done > DAY;
    });
    await remove(gone.map(function (t) { return t.id; }));
    return gone.filter(function (t) { return t.sealed; }).length;
  }
  async function wipe() {
    await inStore("keep", "readwrite", function (s) { s.clear(); });
    await inStore("talks", "readwrite", function (s) { s.clear(); });
    if (self.caches) for (var name of await caches.keys()) await caches.delete(name);
  }
  return { able: !!(subtle && self.indexedDB), get: get, put: put, drop: drop, bytes: bytes, setCode: setCode, unlock: unlock,
    forgetList: forgetList, putList: putList, openList: openList, unseal: unseal, queue: queue, talks: talks,
    settle: settle, retry: retry, tried: tried, remove: remove, sweep: sweep, wipe: wipe };
})();
