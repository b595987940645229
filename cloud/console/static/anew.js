// Parts of a page that are asked for again: <div id="…" data-anew="URL" data-anew-on="reading messages">, on these news of
// the stream and whenever it begins; with "load" among them also at once, where the page comes without it.

import { asked, inTurn, isDirty, kept, restore, signature } from "./kept.js";

function keepUp(region) {
  let shown = signature(region.innerHTML);

  const refresh = inTurn(async () => {
    const html = await asked(region.dataset.anew, { "HX-Request": "true" });
    // Nothing moves under a finger or a screen reader for what is the same.
    if (html === null || signature(html) === shown) return;
    if (isDirty(region)) {
      document.getElementById(`${region.id}-changed`).hidden = false;
      return;
    }
    const before = kept(region);
    region.innerHTML = html;
    shown = signature(html);
    restore(region, before);
  });

  const news = region.dataset.anewOn.split(" ");
  for (const name of ["open", ...news]) document.body.addEventListener(`live:${name}`, refresh);
  if (news.includes("load")) refresh();
}

document.querySelectorAll("[data-anew]").forEach(keepUp);
