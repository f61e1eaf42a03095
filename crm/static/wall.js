// The slider of the wall chart, and Shift three times to hide. The page works without both.
(function () {
  "use strict";
  var hide = document.querySelector("[data-hide]") || document.querySelector(".wc-hide");
  var taps = [];
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Shift") { taps = []; return; }
    if (event.repeat || !hide) return;
    taps.push(event.timeStamp);
    taps = taps.slice(-3);
    if (taps.length === 3 && taps[2] - taps[0] < 2000) location.replace(hide.href);
  });

  var form = document.querySelector("form[data-wall]");
  var part = form && form.querySelector("[data-slide]");
  if (!part) return;
  var slide = part.querySelector("input"), told = part.querySelector("output");
  var field = form.querySelector("input[name=as_at]"), wait = 0;
  var today = Date.parse(form.dataset.today), week = 7 * 86400000;
  function dayOf(weeks) { return new Date(today + weeks * week); }
  function tell() {
    told.textContent = dayOf(+slide.value).toLocaleDateString(
      document.documentElement.lang.replace(/^en$/, "en-GB"), { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
    slide.setAttribute("aria-valuetext", told.textContent);
  }
  slide.value = Math.round((Date.parse(field.value) - today) / week) || 0;
  part.hidden = false;
  tell();
  slide.addEventListener("input", tell);
  slide.addEventListener("change", function () {
    field.value = dayOf(+slide.value).toISOString().slice(0, 10);
    // Each press of an arrow key is a change: the page is fetched when the hand rests.
    clearTimeout(wait);
    wait = setTimeout(function () { form.submit(); }, 700);
  });
})();
