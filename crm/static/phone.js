// On every page: keeps the shell ready, sends waiting talks, says how many wait, wipes when told to.
(function () {
  "use strict";
  var part = document.getElementById("phone"), busy = null;
  if (!part || !self.Vault || !Vault.able) return;
  var data = part.dataset, DAY = 86400000;

  // A bad line can leave a question hanging for ever, and everything behind it.
  async function ask(address, more) {
    var stop = new AbortController(), wait = setTimeout(function () { stop.abort(); }, 20000);
    try {
      var answer = await fetch(address, Object.assign({ cache: "no-store", signal: stop.signal }, more));
      var good = answer.ok && !answer.redirected;
      return { good: good, status: answer.status, told: good ? await answer.json() : null };
    } finally {
      clearTimeout(wait);
    }
  }
  function say(words, more) {
    var box = document.getElementById("phone-says");
    box.hidden = !words;
    box.firstElementChild.textContent = words.replace("{n}", more || "");
  }
  async function show() {
    var me = data.owner || ((await Vault.get("me")) || {}).owner;
    var ready = (await Vault.talks()).filter(function (t) { return t.sealed && t.owner === me; });
    var badge = document.getElementById("unsent");
    badge.hidden = !ready.length;
    badge.querySelector("[data-count]").textContent = ready.length;
    if (ready.some(function (t) { return Date.now() - t.at > 3 * DAY; })) say(data.old);
    document.dispatchEvent(new Event("phone:changed"));
    return ready.length;
  }
  async function state() {
    var me = await Vault.get("me");
    if (!me) return null;
    var told = (await ask("/phone/state?owner=" + encodeURIComponent(me.owner))).told;
    document.dispatchEvent(new Event("phone:signal"));
    if (told && told.state === "ended") {
      await Vault.wipe();
      // All that stays: that this was said, until somebody signs in here again.
      await Vault.put("ended", told.words);
      if (navigator.serviceWorker) {
        for (var one of await navigator.serviceWorker.getRegistrations()) await one.unregister();
      }
      await show();
      say(told.words);
      document.dispatchEvent(new Event("phone:ended"));
    }
    return told;
  }
  async function send() {
    var told = await state(), refused = 0, words = "", failed = 0, most = 45000, left = {}, one;
    if (!told || told.state !== "in") return told;
    var me = await Vault.get("me");
    while (failed < 4) {
      // The oldest first: the last tap on somebody is the one that counts.
      var size = 0, batch = (await Vault.talks()).sort(function (a, b) { return a.at - b.at; }).filter(function (t) {
        // The server takes 64 KB at once.
        if (t.state !== "ready" || t.owner !== me.owner || left[t.id] || (size && size + t.sealed.length > most)) return false;
        size += t.sealed.length;
        return true;
      });
      if (!batch.length) break;
      await Vault.tried(batch);
      var reply = await ask("/phone/talks", { method: "POST",
        headers: { "Content-Type": "application/json", "X-CSRFToken": told.csrf },
        body: JSON.stringify({ clock: Date.now(), talks: batch.map(function (t) { return { id: t.id, sealed: t.sealed }; }) }) });
      if (!reply.good) {
        if (reply.status < 500 && reply.status !== 413) break;
        // One by one from here: a talk that the server cannot take must not hold up the others.
        if (!most) left[batch[0].id] = true;
        most = 0;
        failed += 1;
        continue;
      }
      failed = 0;
      words = reply.told.words;
      for (var talk of batch) {
        one = reply.told.answers.find(function (a) { return a.id === talk.id; }) || {};
        if (one.reason) refused += 1, self.Phone.refused[talk.id] = true;
        if (!one.answer) left[talk.id] = true;
        else await Vault.settle(talk, { stored: "sent", again: "sent" }[one.answer] || one.answer, one.reason, one.over);
      }
    }
    await show();
    if (refused) say(words, refused);
    return told;
  }
  function alone(work) { return navigator.locks ? navigator.locks.request("send", work) : work(); }
  // Takes back what was not sent yet; false where the server may have it.
  async function undo(id) {
    if (!navigator.locks) await busy;
    return alone(async function () {
      var it = (await Vault.talks()).find(function (t) { return t.id === id; });
      if (!it || it.tried) return false;
      await Vault.remove([id]);
      return true;
    });
  }
  // One at a time: two tabs, or "online" and a tap, may ask at the same moment.
  function sendOnce() {
    busy = busy || alone(send)
      .catch(function () { return null; }).then(function (told) { busy = null; return told; });
    return busy;
  }
  async function takeList() {
    var list = await Vault.get("list"), lock = await Vault.get("lock");
    if (!lock || (list && Date.now() - list.at < 600000)) return;
    var answer = await ask("/phone/people");
    if (answer.good) await Vault.putList(answer.told);
  }
  async function start() {
    if (data.left) {
      // Signed out: the list goes; talks not sent stay sealed, and nobody here can read them.
      await Vault.forgetList();
      await show();
      if (!document.getElementById("unsent").hidden) say(data.waiting);
      return;
    }
    var ended = await Vault.get("ended");
    if (!data.owner && ended) {
      say(String(ended));
      if (data.in) await Vault.drop(["ended"]);
    }
    if (data.owner) {
      await Vault.drop(["ended"]);
      var me = await Vault.get("me");
      if (me && me.owner !== data.owner) await Vault.forgetList();
      await Vault.put("me", { owner: data.owner, key: Vault.bytes(data.key) });
      if (navigator.serviceWorker) {
        var rule = { createScriptURL: function () { return data.worker; } };
        if (self.trustedTypes) rule = trustedTypes.createPolicy("phone", rule);
        navigator.serviceWorker.register(rule.createScriptURL(""), { scope: "/" }).catch(function () {});
      }
    }
    var wiped = await Vault.sweep();
    // A page made for its owner has just said that they may use it: nothing to ask, nothing to send.
    if (await show() || !data.owner) await sendOnce();
    if (wiped) say(data.wiped, wiped);
    if (data.owner) await takeList();
  }
  self.Phone = { refused: {}, send: sendOnce, undo: undo, takeList: takeList, show: show };
  window.addEventListener("online", sendOnce);
  document.addEventListener("visibilitychange", function () { if (!document.hidden) sendOnce(); });
  start().catch(function () {});
})();
