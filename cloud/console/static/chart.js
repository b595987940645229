// Draws what /patients/{id}/series.json gives: one chart per kind and unit, limits as broken lines, HI and LO at the edge.

const box = document.getElementById("charts");
const words = JSON.parse(box.dataset.words);
// The pages' English is British: the day stands before the month.
const locale = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const HEIGHT = Number(box.dataset.height ?? 240);
// Somebody of 74 reads it on a phone: their page asks for larger letters.
const LETTERS = Number(box.dataset.font ?? 13);
const signs = { below: "<", above: ">", at_or_above: "≥" };
let plots = [];

const widthIn = (figure) => Math.max(260, figure.clientWidth - 16); // its padding

const resized = new ResizeObserver(() => {
  for (const [plot, figure] of plots) {
    if (plot.width !== widthIn(figure)) plot.setSize({ width: widthIn(figure), height: HEIGHT });
  }
});

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function limitLines(plot, chart) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.setLineDash([8, 6]);
  ctx.lineWidth = 1.5 * devicePixelRatio;
  for (const limit of chart.limits) {
    const y = plot.valToPos(limit.value, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    // What was in force then, not what is now: a limit of now goes on to the edge.
    const edge = bbox.left + bbox.width;
    const within = (x) => Math.min(edge, Math.max(bbox.left, x));
    const begins = limit.from <= chart.from ? bbox.left : within(plot.valToPos(limit.from, "x", true));
    const ends = limit.to >= chart.to ? edge : within(plot.valToPos(limit.to, "x", true));
    if (ends <= begins) continue;
    ctx.strokeStyle = css(`--${limit.priority}`);
    ctx.beginPath();
    ctx.moveTo(begins, y);
    ctx.lineTo(ends, y);
    ctx.stroke();
    if (Object.keys(chart.lines).length > 1 && ends === edge) limitName(ctx, bbox, limit, y);
  }
  ctx.restore();
}

// Where two lines share a chart, each limit says whose it is: 120 means one thing above and another below.
function limitName(ctx, bbox, limit, y) {
  ctx.fillStyle = ctx.strokeStyle;
  ctx.font = `${(LETTERS - 2) * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  ctx.textBaseline = "bottom";
  ctx.fillText(`${words[limit.measure]} ${signs[limit.relation]} ${limit.said}`, bbox.left + bbox.width - 4, y - 1);
}

// A change of treatment is a line from top to bottom with its number; the list below says what it was.
function changeMarks(plot, chart) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.strokeStyle = ctx.fillStyle = css("--ink");
  ctx.font = `bold ${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  chart.changes.forEach((change, index) => {
    const x = plot.valToPos(change.time, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.fillText(`▲${index + 1}`, x + 3, bbox.top + 2);
  });
  ctx.restore();
}

function changeList(changes, zone) {
  const list = document.createElement("ol");
  list.className = "fine changes";
  for (const change of changes) {
    const item = document.createElement("li");
    const day = new Date(change.time * 1000).toLocaleDateString(locale, { timeZone: zone, day: "numeric", month: "short" });
    item.textContent = `${day}: ${change.what} (${change.why})`;
    list.append(item);
  }
  return list;
}

function offScale(plot, chart) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.font = `bold ${LETTERS * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "center";
  ctx.fillStyle = css("--high");
  for (const mark of chart.off_scale) {
    const high = mark.word === "HI";
    ctx.textBaseline = high ? "top" : "bottom";
    ctx.fillText(mark.word, plot.valToPos(mark.time, "x", true), high ? bbox.top + 2 : bbox.top + bbox.height - 2);
  }
  ctx.restore();
}

// Every line that a nurse may ask about is in view: the readings and the limits next to them.
function range(chart) {
  return (_plot, low, high) => {
    const values = chart.limits.map((limit) => limit.value);
    const least = Math.min(low ?? Infinity, ...values);
    const most = Math.max(high ?? -Infinity, ...values);
    if (!Number.isFinite(least) || !Number.isFinite(most)) return [0, 1];
    const margin = (most - least) * 0.08 || 1;
    // HI and LO stand clear of the lines, at the edge.
    const room = (word) => (chart.off_scale.some((mark) => mark.word === word) ? 2.2 : 1);
    return [Math.max(0, least - margin * room("LO")), most + margin * room("HI")];
  };
}

const shapes = {
  systolic: (ctx, x, y, r) => { ctx.moveTo(x - r, y + r); ctx.lineTo(x + r, y + r); ctx.lineTo(x, y - r); ctx.closePath(); },
  diastolic: (ctx, x, y, r) => { ctx.moveTo(x - r, y - r); ctx.lineTo(x + r, y - r); ctx.lineTo(x, y + r); ctx.closePath(); },
  glucose: (ctx, x, y, r) => ctx.arc(x, y, r, 0, 2 * Math.PI),
  ketone: (ctx, x, y, r) => ctx.rect(x - r, y - r, 2 * r, 2 * r),
};

function points(plot, chart) {
  const { ctx, bbox } = plot;
  const r = 4.5 * devicePixelRatio;
  ctx.save();
  Object.entries(chart.lines).forEach(([name, values], index) => {
    ctx.fillStyle = css(`--line-${index + 1}`);
    values.forEach((value, at) => {
      const x = plot.valToPos(chart.times[at], "x", true);
      if (value === null || x < bbox.left || x > bbox.left + bbox.width) return;
      ctx.beginPath();
      shapes[name](ctx, x, plot.valToPos(value, "y", true), r);
      ctx.fill();
    });
  });
  ctx.restore();
}

function span(chart) {
  if (!chart.times.length) return null;
  const marks = chart.changes.map((change) => change.time).filter((time) => time <= chart.to);
  const [first, last] = [Math.min(chart.times[0], ...marks), Math.max(chart.times.at(-1), ...marks)];
  const margin = Math.max((last - first) * 0.04, 3600);
  return [first - margin, last + margin];
}

function draw(chart, zone) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = `${words[chart.kind]} (${chart.unit}), ${chart.said}`;
  figure.append(caption);
  box.append(figure);
  const ink = () => css("--ink");
  const rule = () => css("--rule");
  const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule }, font: `${LETTERS}px system-ui, sans-serif` };
  const format = (form) => (_plot, ticks) => ticks.map((tick) => new Date(tick * 1000).toLocaleString(locale, { timeZone: zone, ...form }));
  const days = (span(chart)?.[1] ?? 0) - (span(chart)?.[0] ?? 0) > 3 * 86400;
  const options = {
    width: widthIn(figure),
    height: HEIGHT,
    padding: [null, (days ? 32 : 56) * LETTERS / 13, null, null], // half of a date: the last one is not cut
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    legend: { show: Object.keys(chart.lines).length > 1, live: false },
    scales: { x: { range: (_plot, low, high) => span(chart) ?? [low, high] }, y: { range: range(chart) } },
    axes: [
      { ...axis, values: format(days ? { day: "numeric", month: "short" } : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false }), space: (days ? 70 : 130) * LETTERS / 13, ...(days && { incrs: [1, 2, 7, 14, 30].map((many) => many * 86400) }) },
      { ...axis, size: 54 * LETTERS / 13 },
    ],
    series: [{}, ...Object.keys(chart.lines).map((name, index) => ({
      label: words[name], stroke: () => css(`--line-${index + 1}`), width: 1.5, spanGaps: false, points: { show: false },
    }))],
    hooks: { draw: [(plot) => { limitLines(plot, chart); changeMarks(plot, chart); points(plot, chart); offScale(plot, chart); }] },
  };
  const plot = new uPlot(options, [chart.times, ...Object.values(chart.lines)], figure);
  plots.push([plot, figure]);
  resized.observe(figure);
}

async function refresh() {
  const answer = await fetch(box.dataset.series, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const { zone, charts, changes, from, to } = await answer.json();
  resized.disconnect();
  plots.forEach(([plot]) => plot.destroy());
  plots = [];
  box.replaceChildren();
  const note = document.createElement("p");
  note.className = "fine";
  if (charts.length) {
    charts.forEach((chart) => draw({ ...chart, changes, from, to }, zone));
    note.textContent = changes.length ? `${words.limits} ${words.changes}` : words.limits;
  } else note.textContent = words.none;
  box.append(note);
  if (changes.length) box.append(changeList(changes, zone));
  box.dataset.changes = changes.length;
  box.dataset.drawn = charts.length;
}

document.body.addEventListener("live:reading", refresh);
document.body.addEventListener("live:open", refresh);
// Paper is white, whatever the screen is.
matchMedia("print").addEventListener("change", () => plots.forEach(([plot]) => plot.redraw(false)));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
refresh();
