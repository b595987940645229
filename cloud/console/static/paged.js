// "You were paged", on every page: fetched, which tells the server that it arrived, and sounded while an emergency waits.

const place = document.getElementById("paged");
const token = document.querySelector('meta[name="csrf-token"]').content;
const POLL_MS = 15000; // pages without a stream ask by themselves; the others are told
const SOUND_EVERY_MS = 20000;

let sound = null;
let soundedAt = -SOUND_EVERY_MS;

async function refresh() {
  try {
    const answer = await fetch("/me/pages", { method: "POST", headers: { "X-CSRF-Token": token, "HX-Request": "true" } });
    if (!answer.ok) return;
    const html = (await answer.text()).trim();
    if (html !== place.innerHTML.trim()) place.innerHTML = html;
    alarm();
  } catch {
    // Offline: the page says "not receiving", or asks again.
  }
}

// Three rising tones; a browser that nobody has touched yet stays silent, and the banner has to do.
function alarm() {
  if (!place.querySelector('[data-tier="emergency"]') || performance.now() - soundedAt < SOUND_EVERY_MS) return;
  sound ??= new AudioContext();
  if (sound.state !== "running") {
    sound.resume();
    if (!navigator.userActivation?.hasBeenActive) return;
  }
  soundedAt = performance.now();
  [523, 659, 784].forEach((frequency, index) => {
    const tone = new OscillatorNode(sound, { frequency });
    const volume = new GainNode(sound, { gain: 0.2 });
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + index * 0.25);
    tone.stop(sound.currentTime + index * 0.25 + 0.2);
  });
}

document.body.addEventListener("live:page", refresh);
document.body.addEventListener("live:open", refresh);
if (!document.getElementById("live-state")) setInterval(refresh, POLL_MS);
setInterval(alarm, 1000);
refresh();
