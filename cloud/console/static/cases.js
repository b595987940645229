// Keeps the list #cases as the stream says: rows in order, the focus where it was, news spoken.

import { announce, now, words } from "./live.js";

const list = document.getElementById("cases");

function rowsOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.querySelectorAll("li[data-case-id]")];
}

function place(row) {
  const after = [...list.children].find((other) => other.dataset.order > row.dataset.order);
  list.insertBefore(row, after ?? null);
  htmx.process(row);
}

function speak(row) {
  const text = (selector) => row.querySelector(selector)?.textContent.trim() ?? "";
  const parts = [text(".priority"), text(".case__name"), text(".case__sentence")];
  announce(parts.reduce((filled, part) => filled.replace("{}", part), words.new));
}

// The row's content changes only when it differs, so that nothing moves under a finger or a screen reader, and what
// somebody has begun to choose in it stays: whoever acts on a case hears of it from the stream, too.
function apply(row) {
  const old = document.getElementById(row.id);
  if (old && !["changed", "state", "order", "mine", "open"].some((name) => old.dataset[name] !== row.dataset[name])) return;
  if (row.dataset.open !== "true") {
    if (old) remove(old);
    return;
  }
  const raised = row.dataset.state === "raised" && old?.dataset.state !== "raised";
  const hadFocus = old?.contains(document.activeElement);
  old?.remove();
  place(row);
  if (hadFocus) refocus(row);
  if (raised) {
    row.classList.add("case--new");
    speak(row);
  }
}

// Not the button: it is another one now, and whoever presses Enter twice must not do two things.
function refocus(row) {
  row.focus({ preventScroll: true });
}

function remove(row) {
  const hadFocus = row.contains(document.activeElement);
  const next = row.nextElementSibling ?? row.previousElementSibling;
  announce(words.closed.replace("{}", row.querySelector(".case__name").textContent));
  row.remove();
  if (hadFocus) (next ?? document.getElementById("main")).focus();
}

// A silence that has run out is over, whether or not anybody has said so yet.
function unsilence() {
  for (const row of list.querySelectorAll("[data-silent-until]")) {
    if (Date.parse(row.dataset.silentUntil) > now()) continue;
    row.classList.replace("case--silent", "case--waiting");
    delete row.dataset.silentUntil;
    row.querySelector(".silenced")?.remove();
    count();
  }
}

function count() {
  const waiting = list.querySelectorAll(".case--waiting").length;
  const put = (id, number) => { const place = document.getElementById(id); if (place) place.textContent = number; };
  put("waiting-count", waiting);
  put("open-count", list.children.length);
  document.title = document.title.replace(/^(\(\d+\) )?/, waiting ? `(${waiting}) ` : "");
}

document.body.addEventListener("live:worklist", (event) => {
  const rows = rowsOf(event.detail);
  const ids = new Set(rows.map((row) => row.id));
  for (const row of [...list.children]) if (!ids.has(row.id)) remove(row);
  for (const row of rows) apply(row);
  count();
});
document.body.addEventListener("live:case", (event) => {
  rowsOf(event.detail).forEach((row) => apply(row));
  count();
});

// A click was answered: htmx has put the new row in the place of the old one.
let pressed = null;
document.body.addEventListener("htmx:before:request", (event) => {
  pressed = event.target.closest?.("li[data-case-id]")?.id ?? null;
});
document.body.addEventListener("htmx:after:swap", () => {
  const row = pressed && document.getElementById(pressed);
  pressed = null;
  if (!row) return;
  if (row.dataset.open !== "true") remove(row);
  else if (!document.activeElement || document.activeElement === document.body) refocus(row);
  count();
});
count();
setInterval(unsilence, 10000);
