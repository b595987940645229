// What is shown anew under somebody's hands: what they write, what they folded open and their place are kept.

// What is told while we ask may be newer than the answer: it is asked for once more, and not twice at once, or the older
// answer could come last.
export function inTurn(show) {
  let busy = false;
  let again = false;
  return async () => {
    again = busy;
    if (busy) return;
    busy = true;
    try {
      do {
        again = false;
        await show();
      } while (again);
    } finally {
      busy = false;
    }
  };
}

// null where there is no answer: the page says that it receives nothing, and asks again when the stream is back.
export async function asked(url, headers) {
  try {
    const answer = await fetch(url, { headers });
    return answer.ok ? await answer.text() : null;
  } catch {
    return null;
  }
}

// What was typed or ticked and not sent is never thrown away.
export function isDirty(region) {
  const changed = (field) => {
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    if (field.tagName !== "SELECT") return field.value !== field.defaultValue;
    return field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
  };
  return [...region.querySelectorAll("textarea, select, input:not([type=hidden])")].some(changed);
}

// What it says but for the passing of time.
export function signature(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const time of template.content.querySelectorAll("time")) time.textContent = "";
  for (const form of template.content.querySelectorAll("[data-htmx-powered]")) delete form.dataset.htmxPowered;
  return template.innerHTML.trim();
}

// Before it is shown anew: what to give to ``restore`` afterwards.
export function kept(region) {
  return {
    open: [...region.querySelectorAll("details[open]")].map((details) => details.id).filter(Boolean),
    focused: region.contains(document.activeElement) ? document.activeElement : null,
  };
}

export function restore(region, { open, focused }) {
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) (again(region, focused) ?? document.getElementById("main")).focus({ preventScroll: true });
}

// The same place on the new page: what somebody was about to press or to write in stays under their hand, if it still
// means the same.
function again(region, place) {
  if (place.id) return document.getElementById(place.id);
  // A "Yes" to another question is another button: what its form sends unseen belongs to it.
  const unseen = (it) => [...(it.form?.querySelectorAll("input[type=hidden]") ?? [])].map((field) => field.value);
  const means = place.dataset.key
    ? (it) => [it.dataset.key, it.dataset.keyName]
    : (it) => [it.name, it.value, it.href, it.form?.action, it.textContent.trim(), ...unseen(it)];
  const meant = String(means(place));
  return [...region.querySelectorAll(place.tagName)].find((it) => String(means(it)) === meant);
}
