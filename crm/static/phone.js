// On every page: keeps the shell ready, sends waiting talks, says how many wait, wipes when told to.
(function () {
  "use strict";
  var part = document.getElementById("phone"), busy = null;
  if (!part || !self.Vault || !Vault.able) return;
  var data = part.dataset, DAY = 86400000;

  function say(words, more) {
    var box = document.getElementById("phone-says");
    box.hidden = !words;
    box.firstElementChild.textContent = words.replace("{n}", more || "");
  }
  async function show() {
    var me = data.owner || ((await Vault.get("me")) || {}).owner;
    var ready = (await Vault.talks()).filter(function (t) { return t.state === "ready" && t.owner === me; });
    var badge = document.getElementById("unsent");
    badge.hidden = !ready.length;
    badge.querySelector("[data-count]").textContent = ready.length;
    if (ready.some(function (t) { return Date.now() - t.at > 3 * DAY; })) say(data.old);
    document.dispatchEvent(new Event("phone:changed"));
  }
  async function state() {
    var me = await Vault.get("me");
    if (!me) return null;
    var answer = await fetch("/phone/state?owner=" + encodeURIComponent(me.owner), { cache: "no-store" });
    var told = await answer.json();
    document.dispatchEvent(new Event("phone:signal"));
    if (told.state === "ended") {
      await Vault.wipe();
      // All that stays: that this was said, until somebody signs in here again.
      await Vault.put("ended", true);
      if (navigator.serviceWorker) {
        for (var one of await navigator.serviceWorker.getRegistrations()) await one.unregister();
      }
      await show();
      say(data.ended);
      document.dispatchEvent(new Event("phone:ended"));
    }
    return told;
  }
  async function send() {
    await Vault.sweep();
    var told = await state(), answers = 1, refused = 0;
    if (!told || told.state !== "in") return;
    var me = await Vault.get("me");
    while (answers) {
      var size = 0, batch = (await Vault.talks()).filter(function (t) {
        // The server takes 64 KB at once.
        return t.state === "ready" && t.owner === me.owner && (size += t.sealed.length) < 45000;
      });
      if (!batch.length) break;
      var reply = await fetch("/phone/talks", { method: "POST", cache: "no-store",
        headers: { "Content-Type": "application/json", "X-CSRFToken": told.csrf },
        body: JSON.stringify({ talks: batch.map(function (t) { return { id: t.id, sealed: t.sealed }; }) }) });
      if (!reply.ok) break;
      answers = (await reply.json()).answers;
      for (var one of answers) {
        if (one.answer === "kept" && one.reason) refused += 1;
        await (one.answer === "kept" ? Vault.remove([one.id]) : Vault.settle(one.id, one.answer === "damaged" ? "damaged" : "sent"));
      }
      answers = answers.length;
    }
    await show();
    if (refused) say(data.refused, refused);
    return told;
  }
  // One at a time: two tabs, or "online" and a tap, may ask at the same moment.
  function sendOnce() {
    busy = busy || (navigator.locks ? navigator.locks.request("send", send) : send())
      .catch(function () { return null; }).then(function (told) { busy = null; return told; });
    return busy;
  }
  async function takeList() {
    var list = await Vault.get("list"), lock = await Vault.get("lock");
    if (!lock || (list && Date.now() - list.at < 600000)) return;
    var answer = await fetch("/phone/people", { cache: "no-store" });
    if (answer.ok && !answer.redirected) await Vault.putList((await answer.json()).people);
  }
  async function start() {
    if (data.left) {
      // Signed out: the list goes; talks not sent stay sealed, and nobody here can read them.
      await Vault.forgetList();
      await show();
      if (!document.getElementById("unsent").hidden) say(data.waiting);
      return;
    }
    if (!data.owner && (await Vault.get("ended"))) say(data.ended);
    if (data.owner) {
      await Vault.drop(["ended"]);
      var me = await Vault.get("me");
      if (me && me.owner !== data.owner) await Vault.forgetList();
      await Vault.put("me", { owner: data.owner, key: Vault.bytes(data.key) });
      if (navigator.serviceWorker) {
        var rule = self.trustedTypes ? trustedTypes.createPolicy("phone", { createScriptURL: function (a) { return a; } }) : { createScriptURL: function (a) { return a; } };
        navigator.serviceWorker.register(rule.createScriptURL(data.worker), { scope: "/" }).catch(function () {});
      }
    }
    await show();
    var told = await sendOnce();
    if (told && told.state === "in") await takeList();
  }
  self.Phone = { send: sendOnce, takeList: takeList, show: show };
  window.addEventListener("online", sendOnce);
  document.addEventListener("visibilitychange", function () { if (!document.hidden) sendOnce(); });
  start().catch(function () {});
})();
