// Parts of a page that are asked for again: <div id="…" data-anew="URL" data-anew-on="reading messages">, on these news of
// the stream and whenever it begins; with "load" among them also at once, where the page comes without it.

import { isDirty, kept, restore, signature } from "./kept.js";

function keepUp(region) {
  let shown = signature(region.innerHTML);
  let busy = false;
  let again = false;

  async function show() {
    const answer = await fetch(region.dataset.anew, { headers: { "HX-Request": "true" } });
    if (!answer.ok) return;
    const html = await answer.text();
    // Nothing moves under a finger or a screen reader for what is the same.
    if (signature(html) === shown) return;
    if (isDirty(region)) {
      document.getElementById(`${region.id}-changed`).hidden = false;
      return;
    }
    const before = kept(region);
    region.innerHTML = html;
    shown = signature(html);
    restore(region, before);
  }

  // What is told while we ask may be newer than the answer: it is asked for once more, not twice at once.
  async function refresh() {
    again = busy;
    if (busy) return;
    busy = true;
    do {
      again = false;
      await show().catch(() => {}); // offline: the page says so, and asks again when the stream is back
    } while (again);
    busy = false;
  }

  const news = region.dataset.anewOn.split(" ");
  for (const name of ["open", ...news]) document.body.addEventListener(`live:${name}`, refresh);
  if (news.includes("load")) refresh();
}

document.querySelectorAll("[data-anew]").forEach(keepUp);
