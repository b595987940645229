// Keys that move to a place of the page: whatever has data-key, j and k among the cases, w to the worklist, ? for the list.
// A key never does anything but move: Enter does. Nothing is taken from who types, and they can be switched off.

const dialog = document.getElementById("shortcuts");
const on = document.getElementById("shortcuts-on");
const KEPT = "pulsepost-keys";

try { on.checked = localStorage.getItem(KEPT) !== "off"; } catch { /* no storage: on */ }
on.addEventListener("change", () => {
  try { localStorage.setItem(KEPT, on.checked ? "on" : "off"); } catch { /* for this page only */ }
});

function describe() {
  const rows = [...document.querySelectorAll("[data-key]")].map((place) => [place.dataset.key, place.dataset.keyName]);
  if (document.querySelector("#cases li")) rows.push(["j k", dialog.dataset.rows]);
  rows.push(["w", dialog.dataset.worklist], ["?", dialog.dataset.help]);
  const list = dialog.querySelector("dl");
  list.replaceChildren(...rows.flatMap(([keys, name]) => {
    const term = document.createElement("dt");
    for (const key of keys.split(" ")) {
      const cap = document.createElement("kbd");
      cap.textContent = key;
      term.append(cap, " ");
    }
    const meaning = document.createElement("dd");
    meaning.textContent = name;
    return [term, meaning];
  }));
}

function toRow(step) {
  const rows = [...document.querySelectorAll("#cases > li")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
}

function goTo(place) {
  const folded = place.closest("details");
  if (folded) folded.open = true;
  place.focus();
  place.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || dialog.open) return;
  // Until the next frame the focus still lies in the list that was just closed: nobody types there any more.
  if (event.target.closest?.("input, textarea, select, [contenteditable]") && !dialog.contains(event.target)) return;
  if (event.key === "?") {
    describe();
    dialog.showModal();
    return;
  }
  if (!on.checked) return;
  if (event.key === "j" || event.key === "k") toRow(event.key === "j" ? 1 : -1);
  else if (event.key === "w") document.querySelector('.bar__nav a[href="/worklist"]')?.focus();
  else {
    const place = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (!place) return;
    event.preventDefault();
    goTo(place);
  }
});
