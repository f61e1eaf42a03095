// The pages without signal, the outbox on the phone, and the code that opens the list.
(function () {
  "use strict";
  var key = null, people = [], lists = [], held = {}, idle = 0, touched = 0, who = null, typed = false, REST = 300000;
  var LIST = /^\/(tests\/[^/]+\/mine|ballots\/[^/]+\/votes)$/;
  function at(id) { return document.getElementById(id); }
  function time(ms) {
    return new Date(ms).toLocaleString(document.documentElement.lang.replace(/^en$/, "en-GB"), { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  }
  function told(id, words) {
    var box = at(id);
    box.hidden = !words;
    box.textContent = words || "";
  }

  // Whose talk it is, or [address, key, word] of a tap; nothing while the code is not given.
  function read(talk, lock) {
    return key && lock && talk.label ? Vault.unseal(key, lock.point, talk.label, talk.id).catch(function () {}) : null;
  }
  function onList(page, one) {
    var list = lists.find(function (l) { return l.page === page; });
    return list && list.people.find(function (p) { return p.key === one; });
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
      var row = at("talk-row").content.cloneNode(true), name = "", said = await read(talk, lock);
      if (Array.isArray(said)) name = (onList(said[0], said[1]) || {}).name;
      else if (said) name = (people.find(function (p) { return p.id === said; }) || {}).name;
      row.querySelector("[data-name]").textContent = name || list.dataset.talk;
      row.querySelector("[data-at]").textContent = time(talk.at);
      row.querySelector("[data-state]").textContent =
        list.dataset[talk.state === "ready" && talk.draft ? "draft" : talk.state] + (talk.why ? " " + talk.why : "");
      list.append(row);
    }
    at("phone-none").hidden = all.length > 0;
    at("send-now").hidden = !all.some(function (t) { return t.sealed; });
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
    ["locked", "list", "talk", "taps", "out"].forEach(function (one) { at("view-" + one).hidden = one !== name; });
    at("main").focus();
    // What was kept is said at the top; a browser that sees a part of the page already stays there.
    window.scrollTo(0, 0);
  }
  async function lockUp() {
    await setAside();
    key = null;
    people = lists = [];
    held = {};
    ["people", "lists", "taps", "taps-title"].forEach(function (id) { at(id).replaceChildren(); });
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
    at("lists").replaceChildren();
    lists.forEach(function (list) {
      var row = at("list-row").content.cloneNode(true);
      row.querySelector("a").textContent = list.name;
      row.querySelector("a").href = list.page;
      at("lists").append(row);
    });
  }

  // The list of a test or a ballot: one tap each, sealed at once.
  function markTaps() {
    at("taps").querySelectorAll("li").forEach(function (row) {
      var tap = held[row.dataset.at];
      row.querySelectorAll("button[value]").forEach(function (button) {
        if (tap && tap.word === button.value) button.setAttribute("aria-pressed", "true");
        else button.removeAttribute("aria-pressed");
      });
      row.querySelector("[data-undo]").hidden = !tap || !!tap.sent;
      row.querySelector("[data-state]").textContent = !tap ? "" :
        !tap.sent ? shell.dataset.held : Phone.refused[tap.id] ? shell.dataset.refused : shell.dataset.sent;
    });
  }
  async function findTaps() {
    var lock = await Vault.get("lock"), me = await Vault.get("me"), now = {}, before = Object.assign({}, held);
    var all = (await Vault.talks()).sort(function (a, b) { return a.at - b.at; });
    for (var talk of all) {
      var said = talk.sealed && talk.owner === me.owner ? await read(talk, lock) : null;
      if (Array.isArray(said)) now[said[0] + " " + said[1]] = { id: talk.id, word: said[2] };
    }
    if (!key) return;
    Object.keys(Object.assign({}, before, now)).forEach(function (one) {
      // Tapped on while we looked.
      if (held[one] !== before[one]) return;
      // What is gone from the phone was sent; this page remembers it while it is open.
      held[one] = now[one] || Object.assign({}, before[one], { sent: true });
    });
    markTaps();
  }
  function drawTaps(list) {
    at("taps-title").textContent = list.name;
    at("taps").replaceChildren();
    list.people.forEach(function (person) {
      var row = at("tap-row").content.cloneNode(true);
      row.querySelector("li").dataset.at = list.page + " " + person.key;
      row.querySelector("[data-buttons]").prepend(at(list.page[1] === "t" ? "test-words" : "vote-words").content.cloneNode(true));
      row.querySelectorAll("[data-name]").forEach(function (part) { part.textContent = person.name; });
      at("taps").append(row);
    });
    at("all-asked").hidden = list.people.length > 0;
    return findTaps();
  }
  at("taps").addEventListener("click", async function (event) {
    var button = event.target.closest("button"), row = button && button.closest("li");
    if (!row || row.getAttribute("aria-busy")) return;
    row.setAttribute("aria-busy", "true");
    told("kept", "");
    var where = row.dataset.at, was = held[where], parts = where.split(" "), word = button.value, id = crypto.randomUUID();
    try {
      if (word) {
        var vote = parts[0][1] === "b";
        await Vault.queue(vote ? parts.join("/") : parts[0], [vote ? ["said", word] : [word, parts[1]]], id, [parts[0], parts[1], word]);
        held[where] = { id: id, word: word };
        // The new one is safe: the one before it need not go out.
        if (was && was.id) await Phone.undo(was.id);
        await Phone.show();
        Phone.send();
      } else if (was && await Phone.undo(was.id)) {
        delete held[where];
        row.querySelector("button").focus();
        await Phone.show();
      } else {
        told("kept", shell.dataset.gone);
      }
    } catch (failed) {
      told("kept", shell.dataset.failed);
    }
    row.removeAttribute("aria-busy");
    markTaps();
  });
  document.addEventListener("phone:changed", function () { if (!at("view-taps").hidden) findTaps(); });
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
    var list = lists.find(function (l) { return l.page === location.pathname; });
    if (key && list) { view("taps"); return drawTaps(list); }
    at("needs-signal").hidden = (!key && LIST.test(location.pathname)) || /^\/($|log$|mine$|phone\/shell$)/.test(location.pathname);
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
  document.addEventListener("phone:signal", function () { at("signal").hidden = false; at("no-signal").hidden = true; });
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
    var kept = await Vault.openList(key);
    people = kept.people || kept;
    lists = kept.lists || [];
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
  if (location.search === "?kept") {
    history.replaceState(null, "", location.pathname);
    told("kept", shell.dataset.kept);
  }
  route();
})();
