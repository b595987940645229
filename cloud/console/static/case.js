// The page of one case: shown anew when the case changes, unless somebody is writing on it; then it says so.

import "./live.js";
import { asked, inTurn, isDirty, kept, restore } from "./kept.js";

let shown = document.getElementById("case");

const refresh = inTurn(async () => {
  const html = await asked(location.pathname, { Accept: "text/html" });
  const fresh = html && new DOMParser().parseFromString(html, "text/html").getElementById("case");
  if (!fresh) return;
  if (isDirty(shown)) {
    document.getElementById("changed").hidden = false;
    return;
  }
  const before = kept(shown);
  // What keeps itself up to date stays: the chart, and what is asked of a reading that waits.
  for (const id of ["charts", "held"]) {
    const own = document.getElementById(id);
    if (own) fresh.querySelector(`#${id}`)?.replaceWith(own);
  }
  shown.replaceWith(fresh);
  shown = fresh;
  prepare();
  restore(shown, before);
});

// An outcome that needs a note asks for it before it is sent.
function prepare() {
  const disposition = document.getElementById("disposition");
  const note = document.getElementById("note");
  if (!disposition) return;
  const need = () => { note.required = disposition.selectedOptions[0]?.hasAttribute("data-needs-note") ?? false; };
  disposition.addEventListener("change", need);
  need();
}

document.body.addEventListener("live:case", (event) => {
  const template = document.createElement("template");
  template.innerHTML = event.detail;
  const row = template.content.querySelector("li[data-case-id]");
  if (row?.dataset.caseId === shown.dataset.caseId && row.dataset.changed !== shown.dataset.changed) refresh();
});

// What was missed while the stream was away: an open case stands in the list, a closed one does not.
document.body.addEventListener("live:worklist", (event) => {
  const template = document.createElement("template");
  template.innerHTML = event.detail;
  const row = template.content.querySelector(`li[data-case-id="${shown.dataset.caseId}"]`);
  const wasOpen = !["resolved", "expired"].includes(shown.dataset.state);
  if (row ? row.dataset.changed !== shown.dataset.changed : wasOpen) refresh();
});

document.getElementById("notice")?.focus();
prepare();
