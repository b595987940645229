// The page of one case: shown anew when the case changes, unless somebody is writing on it; then it says so.

import "./live.js";

let shown = document.getElementById("case");

// What was typed or ticked and not sent is never thrown away.
function isDirty() {
  const changed = (field) => {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
    return field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
  };
  return [...shown.querySelectorAll("textarea, select, input[type=checkbox], input[type=radio]")].some(changed);
}

async function refresh() {
  if (isDirty()) {
    document.getElementById("changed").hidden = false;
    return;
  }
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("case");
  if (!fresh || isDirty()) return;
  const open = [...shown.querySelectorAll("details[open]")].map((details) => details.id);
  const focused = shown.contains(document.activeElement) ? document.activeElement : null;
  // The chart keeps itself up to date, and is not drawn anew for a button.
  fresh.querySelector("#charts")?.replaceWith(document.getElementById("charts"));
  shown.replaceWith(fresh);
  shown = fresh;
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  prepare();
  if (focused) (again(focused) ?? document.getElementById("main")).focus({ preventScroll: true });
}

// The same place on the new page: what somebody was about to press or to write in stays under their hand, if it still
// means the same.
function again(place) {
  if (place.id) return document.getElementById(place.id);
  // A "Yes" to another question is another button: what its form sends unseen belongs to it.
  const unseen = (it) => [...(it.form?.querySelectorAll("input[type=hidden]") ?? [])].map((field) => field.value);
  const means = place.dataset.key
    ? (it) => [it.dataset.key, it.dataset.keyName]
    : (it) => [it.name, it.value, it.href, it.form?.action, it.textContent.trim(), ...unseen(it)];
  const meant = String(means(place));
  return [...shown.querySelectorAll(place.tagName)].find((it) => String(means(it)) === meant);
}

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
