// The pages without signal, the outbox on the phone, and the code that opens the list.
(function () {
  "use strict";
  var key = null, people = [], idle = 0, touched = 0, who = null, typed = false, REST = 300000;
  function at(id) { return document.getElementById(id); }
  function time(ms) {
    return new Date(ms).toLocaleString(document.documentElement.lang.replace(/^en$/, "en-GB"), { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  }
  function told(id, words) {
    var box = at(id);
    box.hidden = !words;
    box.textContent = words || "";
  }

  // The outbox: one line for each talk on this phone.
  async function drawOutbox() {
    var list = at("phone-talks");
    if (!list || !self.Vault || !Vault.able) return;
    var all = (await Vault.talks()).sort(function (a, b) { return b.at - a.at; });
    var me = await Vault.get("me"), lock = await Vault.get("lock");
    all = all.filter(function (t) { return me && t.owner === me.owner; });
    list.replaceChildren();
    for (var talk of all) {
      var row = at("talk-row").content.cloneNode(true), name = "";
      if (key && lock && talk.label) {
        var id = await Vault.unseal(key, lock.point, talk.label, talk.id).catch(function () {});
        name = (people.find(function (p) { return p.id === id; }) || {}).name || "";
      }
      row.querySelector("[data-name]").textContent = name || list.dataset.talk;
      row.querySelector("[data-at]").textContent = time(talk.at);
      row.querySelector("[data-state]").textContent =
        list.dataset[talk.state === "ready" && talk.draft ? "draft" : talk.state];
      list.append(row);
    }
    at("phone-none").hidden = all.length > 0;
    at("send-now").hidden = !all.some(function (t) { return t.state !== "sent"; });
  }
  document.addEventListener("phone:changed", drawOutbox);
  if (at("send-now")) at("send-now").addEventListener("click", async function () {
    if (!self.Phone) return;
    await Vault.retry();
    Phone.send();
  });
  drawOutbox();

  // The page that sets the code.
  var set = at("set-code");
  if (set && self.Vault && Vault.able) {
    set.hidden = false;
    at("no-script").hidden = true;
    var tell = async function () { at("forget").hidden = !(await Vault.get("lock")); };
    tell();
    set.addEventListener("submit", async function (event) {
      event.preventDefault();
      var code = at("code").value;
      told("code-says", code.length < 8 ? set.dataset.short : code !== at("code-again").value ? set.dataset.differ : "");
      if (!at("code-says").hidden) return;
      await Vault.setCode(code);
      set.reset();
      await Phone.takeList().catch(function () {});
      told("code-done", set.dataset.done);
      tell();
    });
    at("forget").addEventListener("click", async function () {
      await Vault.forgetList();
      told("code-done", set.dataset.gone);
      tell();
    });
  }

  // The page without signal.
  var shell = at("shell");
  if (!shell || !self.Vault || !Vault.able) return;
  function view(name) {
    ["locked", "list", "talk", "out"].forEach(function (one) { at("view-" + one).hidden = one !== name; });
    at("main").focus();
  }
  async function lockUp() {
    await setAside();
    key = null;
    people = [];
    at("people").replaceChildren();
    at("talk-with").textContent = "";
    if (!at("view-talk").hidden) history.replaceState(null, "", "/mine");
    route();
  }
  // By the clock on the wall too: a timer stands still while the phone sleeps.
  function awake() {
    if (key && Date.now() - touched > REST) return lockUp();
    touched = Date.now();
    clearTimeout(idle);
    if (key) idle = setTimeout(lockUp, REST);
  }
  ["pointerdown", "keydown"].forEach(function (name) { document.addEventListener(name, awake, true); });
  document.addEventListener("visibilitychange", function () {
    if (document.hidden) setAside();
    else if (key && Date.now() - touched > REST) lockUp();
  });

  function drawPeople() {
    at("people").replaceChildren();
    people.forEach(function (person) {
      var row = at("person-row").content.cloneNode(true), tile = row.querySelector(".wc-tile");
      tile.textContent = person.stand || "?";
      tile.classList.add("wc-tile--" + (person.stand || "unknown"));
      row.querySelector("[data-stand]").textContent = shell.dataset["stand" + (person.stand || "0")];
      row.querySelector("a").textContent = person.name;
      row.querySelector("a").href = "/log/" + person.id;
      row.querySelector("[data-area]").textContent = person.area ? "· " + person.area : "";
      at("people").append(row);
    });
    at("nobody").hidden = people.length > 0;
  }
  function fields(button) {
    return [...new FormData(at("form"), button).entries()].map(function (f) { return [f[0], String(f[1])]; });
  }
  // A talk that is half typed is sealed as a draft before it leaves the screen.
  async function setAside() {
    if (!typed) return;
    typed = false;
    try {
      await Vault.queue(who, fields().concat([["later", "1"]]), at("form").elements.id.value);
      told("kept", shell.dataset.aside);
    } catch (failed) {
      typed = true;
      told("kept", shell.dataset.failed);
    }
    if (self.Phone) Phone.show();
  }
  at("form").addEventListener("input", function () { typed = true; });

  async function route() {
    await setAside();
    if (typed) return;
    var found = /^\/log\/([0-9a-f-]{36})$/.exec(location.pathname);
    if (location.pathname === "/outbox") { view("out"); return drawOutbox(); }
    if (found) {
      if (!at("view-talk").hidden && who === found[1]) return;
      who = found[1];
      var person = people.find(function (p) { return p.id === who; });
      at("talk-with").textContent = person ? person.name : shell.dataset.somebody;
      at("form").reset();
      at("form").elements.id.value = crypto.randomUUID();
      return view("talk");
    }
    at("needs-signal").hidden = /^\/($|log$|mine$|phone\/shell$)/.test(location.pathname);
    at("list-title").textContent = location.pathname === "/mine" ? shell.dataset.mine : shell.dataset.today;
    if (key) { drawPeople(); return view("list"); }
    at("unlock").hidden = !(await Vault.get("lock"));
    at("no-code").hidden = !at("unlock").hidden;
    view("locked");
  }
  function go(path) {
    history.pushState(null, "", path);
    route();
  }
  window.addEventListener("popstate", route);
  document.addEventListener("phone:ended", lockUp);
  document.addEventListener("click", function (event) {
    var link = event.target.closest("#shell a");
    // The key to the list lives in this page alone: leaving it would ask for the code again.
    if (!link || link.id === "back" || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    go(new URL(link.href).pathname);
  });
  document.addEventListener("phone:signal", function () { at("signal").hidden = false; });
  at("unlock").addEventListener("submit", async function (event) {
    event.preventDefault();
    told("unlock-says", shell.dataset.wait);
    key = await Vault.unlock(at("unlock-code").value);
    at("unlock-code").value = "";
    if (!key) {
      told("unlock-says", shell.dataset.wrong);
      return (await Vault.get("lock")) ? null : route();
    }
    told("unlock-says", "");
    people = await Vault.openList(key);
    touched = Date.now();
    awake();
    route();
  });
  at("form").addEventListener("submit", async function (event) {
    event.preventDefault();
    var form = at("form");
    if (form.getAttribute("aria-busy")) return;
    form.setAttribute("aria-busy", "true");
    try {
      await Vault.queue(who, fields(event.submitter), form.elements.id.value);
      typed = false;
      told("kept", shell.dataset.kept);
      go(key ? "/mine" : "/outbox");
      if (self.Phone) Phone.show().then(Phone.send);
    } catch (failed) {
      told("kept", shell.dataset.failed);
    }
    form.removeAttribute("aria-busy");
  });
  route();
})();
