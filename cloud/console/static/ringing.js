// "Your telephone rings", on every page of who has one here: fetched, and fetched again when the stream tells of it.

const place = document.getElementById("ringing");
const POLL_MS = 5000; // pages without a stream ask by themselves; the others are told

let busy = false;
let again = false;

async function refresh() {
  again = busy;
  if (busy) return;
  busy = true;
  do {
    again = false;
    try {
      const answer = await fetch("/me/calls", { headers: { "HX-Request": "true" } });
      const html = answer.ok ? (await answer.text()).trim() : null;
      if (html !== null && html !== place.innerHTML.trim()) place.innerHTML = html;
    } catch {
      // Offline: the page says "not receiving", or asks again.
    }
  } while (again);
  busy = false;
}

document.body.addEventListener("live:call", refresh);
document.body.addEventListener("live:open", refresh);
if (!document.getElementById("live-state")) setInterval(refresh, POLL_MS);
// What was asked and never taken up is late, and nobody announces that.
setInterval(() => { if (place.querySelector("[data-ring]")) refresh(); }, POLL_MS);
refresh();
