// Brings the page up to date, and says so where it cannot.
"use strict";

const EVERY_MS = 20000;
const ANSWER_WITHIN_MS = 10000;

async function look() {
  const stale = document.getElementById("stale");
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (!answer.ok) throw new Error(String(answer.status));
    const heard = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
    const shown = document.querySelector("main");
    if (heard && heard.innerHTML !== shown.innerHTML) shown.replaceWith(heard);
    stale.textContent = "";
  } catch {
    stale.textContent = stale.dataset.text;
  }
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", () => document.hidden || look());
