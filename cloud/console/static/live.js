// One stream per page, and an honest word about it.
// Dispatches on <body>: live:open (subscribed, also after a break), live:worklist and live:case (detail: HTML),
// live:page (somebody was paged: this person), live:call (this person's telephone), live:technical (detail: HTML), live:held (a question "was it you?" was answered), live:reading (detail: object). Puts what our own side says of itself into #our-side. Shows #not-receiving when nothing was heard for SILENT_MS: the server beats every 3 s.

const SILENT_MS = 7000;
const REOPEN_MS = 2000;

const state = document.getElementById("live-state");
export const words = JSON.parse(state.dataset.words);
export const spans = JSON.parse(state.dataset.spans);

let source = null;
let heardAt = performance.now();
let reopenAt = 0;
let subscribed = false;
let finished = false;
let ahead = 0; // the server's clock minus ours, ms

export const now = () => Date.now() + ahead;

function tell(name, detail) {
  document.body.dispatchEvent(new CustomEvent(`live:${name}`, { detail }));
}

function show(condition) {
  state.dataset.state = condition;
  state.textContent = words[condition];
  document.getElementById("not-receiving").hidden = condition !== "lost";
  document.getElementById("signed-out").hidden = condition !== "signed_out";
}

function heard() {
  heardAt = performance.now();
  if (!finished) show("live");
}

function open() {
  subscribed = false;
  reopenAt = performance.now() + REOPEN_MS;
  source?.close();
  source = new EventSource(state.dataset.url);
  source.addEventListener("beat", (event) => {
    ahead = Date.parse(event.data) - Date.now();
    document.getElementById("last-sign").textContent = new Date().toLocaleTimeString(document.documentElement.lang, { hour12: false });
    heard();
    if (!subscribed) {
      subscribed = true;
      tell("open");
    }
  });
  source.addEventListener("worklist", (event) => { heard(); tell("worklist", event.data); });
  source.addEventListener("case", (event) => { heard(); tell("case", event.data); });
  source.addEventListener("our_side", (event) => {
    heard();
    const place = document.getElementById("our-side");
    if (place) place.innerHTML = event.data;
    age();
  });
  source.addEventListener("page", () => { heard(); tell("page"); });
  source.addEventListener("call", () => { heard(); tell("call"); });
  source.addEventListener("messages", (event) => {
    heard();
    // A thread does not grow under somebody's eyes: what was opened counts as read.
    if (event.data === "new") document.querySelectorAll("[data-news]").forEach((news) => { news.hidden = false; });
    tell("messages", event.data);
  });
  source.addEventListener("technical", (event) => { heard(); tell("technical", event.data); });
  source.addEventListener("reading", (event) => { heard(); tell("reading", JSON.parse(event.data)); });
  source.addEventListener("held", () => { heard(); tell("held"); });
  source.addEventListener("signed_out", finish);
  source.addEventListener("error", () => {
    subscribed = false;
    reopenAt = performance.now() + REOPEN_MS;
  });
}

function finish() {
  finished = true;
  source.close();
  show("signed_out");
}

function watch() {
  if (finished) return;
  const silent = performance.now() - heardAt > SILENT_MS;
  if (silent) show("lost");
  // Closed by a refusal, or open and dead: EventSource itself comes back from neither.
  const dead = source?.readyState === EventSource.CLOSED || silent;
  if (dead && performance.now() > reopenAt) {
    open();
  }
}

// What the server rendered with its clock goes on with ours.
function span(ms) {
  const minutes = Math.max(0, Math.floor(ms / 60000));
  const fill = (text, ...numbers) => numbers.reduce((filled, number) => filled.replace("{}", number), text);
  if (minutes < 1) return spans.moment;
  if (minutes < 60) return fill(spans.minutes, minutes);
  if (minutes < 1440) return fill(spans.hours, Math.floor(minutes / 60), minutes % 60);
  return fill(spans.days, Math.floor(minutes / 1440));
}

function age() {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    time.textContent = spans.ago.replace("{}", span(now() - Date.parse(time.dateTime)));
  }
  for (const time of document.querySelectorAll("time[data-due]")) {
    const left = Date.parse(time.dateTime) - now();
    time.textContent = (left > 0 ? spans.due : spans.overdue).replace("{}", span(Math.abs(left)));
    time.classList.toggle("due--over", left <= 0);
  }
  for (const time of document.querySelectorAll("time[data-left]")) {
    time.textContent = spans.left.replace("{}", span(Date.parse(time.dateTime) - now()));
  }
}

export function announce(text) {
  document.getElementById("announcements").textContent = text;
}

// What the page asks for by itself never leads away from what somebody is writing: the page says that it is signed out.
document.body.addEventListener("htmx:before:response", (event) => {
  const { request, response } = event.detail.ctx;
  if (response.status !== 401 || request.method !== "GET") return;
  event.preventDefault();
  finish();
});
for (const failure of ["htmx:response:error", "htmx:error"]) {
  document.body.addEventListener(failure, (event) => {
    if (event.detail?.ctx?.response?.status !== 409) announce(words.failed);
  });
}
document.addEventListener("visibilitychange", watch);
setInterval(watch, 1000);
setInterval(age, 10000);
// Not before all scripts of the page listen: what the stream begins with would be lost on those that come later.
document.addEventListener("DOMContentLoaded", open);
