// Keeps the technical queue as the stream says: what is folded open stays open, the focus stays, news is spoken.

import { signature } from "./kept.js";
import { announce } from "./live.js";

const queue = document.getElementById("technical");

function alarmIds() {
  return new Set([...queue.querySelectorAll("[data-alarm-id]")].map((row) => row.id));
}

function show(html) {
  const open = [...queue.querySelectorAll("details[open]")].map((details) => details.id);
  const focused = queue.contains(document.activeElement) ? document.activeElement : null;
  const inside = focused?.closest("[data-alarm-id]")?.id;
  const focusedId = focused?.id;
  queue.innerHTML = html;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  htmx.process(queue);
  if (!focused) return;
  // The button that was pressed is gone: its row gets the focus, so that Enter twice does not do two things.
  const place = (focusedId && document.getElementById(focusedId)) || (inside && document.getElementById(inside));
  (place || document.getElementById("main")).focus({ preventScroll: true });
}

function speak(row) {
  const text = (selector) => row.querySelector(selector)?.textContent.trim() ?? "";
  const parts = [text(".priority"), text(".case__name"), text(".case__sentence")];
  announce(parts.reduce((filled, part) => filled.replace("{}", part), queue.dataset.new));
}

// The stream begins with what the page was made of: it is not put in place of itself under somebody's finger.
let shown = signature(queue.innerHTML);
document.body.addEventListener("live:technical", (event) => {
  const next = signature(event.detail);
  if (next === shown) return;
  const before = alarmIds();
  shown = next;
  show(event.detail);
  const fresh = [...queue.querySelectorAll("[data-alarm-id]")].find((row) => !before.has(row.id));
  if (fresh) speak(fresh);
});

let pressed = null;
document.body.addEventListener("htmx:before:request", (event) => {
  pressed = event.target.closest?.("[data-alarm-id]")?.id ?? null;
});
document.body.addEventListener("htmx:after:swap", () => {
  const row = pressed && document.getElementById(pressed);
  pressed = null;
  if (row && (!document.activeElement || document.activeElement === document.body)) row.focus({ preventScroll: true });
});
