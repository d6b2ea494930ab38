// The controls, the text and the chart. Everything shown is computed by draws.js from the page's own data.
const byId = (id) => document.getElementById(id);
const DAY = 86_400_000;

function dateOf(draws, day) {
  return new Date(Date.parse(draws.vintage) + Math.ceil(day) * DAY).toISOString().slice(0, 10);
}

// Rounded to a whole number, halves to the even one, as the package's own text has it.
function even(value) {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 ? down + 1 : down;
}

function percent(probability) {
  if (probability < 0.01) return probability > 0 ? "under 1%" : "0%, no draw";
  if (probability > 0.99) return probability < 1 ? "over 99%" : "100%, every draw";
  return `${even(100 * probability)}%`;
}

// Three significant digits, thousands separated, one decimal below ten.
function count(value) {
  const tenths = Math.round(10 * value) / 10;
  if (tenths === 0) return "0";
  if (Math.abs(tenths) < 10) return tenths.toFixed(1);
  const step = 10 ** Math.max(0, String(Math.trunc(Math.abs(value))).length - 3);
  return (even(value / step) * step).toLocaleString("en-US");
}

function settingsNow() {
  const number = (id) => Number(byId(id).value);
  const own = (id, scale) => (byId(id) && byId(id).dataset.set ? number(id) * scale : null);
  const trust = [...document.querySelectorAll("input[id^='trust-']")];
  return {
    pace: number("pace"), pauseStart: number("pauseStart"), pauseDays: number("pauseDays"),
    more: number("more"), moreDay: number("moreDay"), kept: own("kept", 0.01), delay: own("delay", 1),
    shifts: Object.fromEntries(trust.map((one) => [one.id.slice(6), Number(one.value)])),
    by: byId("by").value, definition: document.querySelector("input[name='definition']:checked").value,
  };
}

// Text in which no line breaks inside a date.
function say(node, text) {
  const parts = text.split(/(\d{4}-\d\d-\d\d)/);
  const spans = parts.map((part, place) => {
    if (place % 2 === 0) return part;
    const span = document.createElement("span");
    span.className = "d";
    span.textContent = part;
    return span;
  });
  node.replaceChildren(...spans);
}

// What each control says, for the eye and for a screen reader.
function words(draws, id, value, set) {
  if (id === "pace") return `${value.toFixed(2)} times`;
  if (id === "pauseDays") return value === 1 ? "1 day" : value ? `${value} days` : "none";
  if (id === "pauseStart" || id === "moreDay") return dateOf(draws, value);
  if (id === "more") return value ? value.toLocaleString("en-US") : "none";
  if (id === "kept") return set ? `${value}% in every draw` : `as estimated, median ${value}%`;
  if (id === "delay") return set ? `${value} days in every draw` : `as estimated, median ${value} days`;
  return value ? `${value > 0 ? "+" : "−"}${Math.abs(value).toFixed(2)} log units, factor ${Math.exp(value).toFixed(2)}` : "as assumed";
}

function condition(draws, now) {
  const parts = [`losses go on at ${now.pace === 1 ? "" : `${now.pace.toFixed(2)} times `}their mean daily rate since ${draws.since}`];
  if (now.pauseDays) {
    const days = now.pauseDays === 1 ? "1 day" : `${now.pauseDays} days`;
    parts.push(`nobody is lost for ${days} from ${dateOf(draws, now.pauseStart)}`);
  }
  if (now.more) parts.push(`${now.more.toLocaleString("en-US")} more arrive on ${dateOf(draws, now.moreDay)}`);
  if (now.kept !== null) parts.push(`${even(100 * now.kept)}% of the wounded come back`);
  if (now.delay !== null) parts.push(`the wounded who come back do so after ${now.delay} days`);
  for (const one of draws.stances) {
    const shift = now.shifts[one.kind];
    if (shift) parts.push(`${one.people} overstate by ${Math.abs(shift).toFixed(2)} log units ${shift > 0 ? "more" : "less"} than assumed`);
  }
  return parts.length > 1 ? `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}` : parts[0];
}

function dateText(draws, day) {
  return day > draws.horizon ? `after ${dateOf(draws, draws.horizon)}` : dateOf(draws, day);
}

function rowOf(draws, days, weight, by) {
  const [low, middle, high] = [0.05, 0.5, 0.95].map((level) => dateText(draws, quantile(days, weight, level)));
  return [
    middle, low.startsWith("after") ? low : `${low} to ${high}`, by === null ? "no date" : percent(share(days, weight, (day) => day <= by)),
    percent(share(days, weight, (day) => day <= draws.horizon)),
  ];
}

function fill(id, rows) {
  const lines = document.querySelectorAll(`#${id} tbody tr`);
  rows.forEach((cells, line) => cells.forEach((text, place) => (lines[line].children[place + 1].textContent = text)));
}

// Days after the vintage of the date asked for; null where it is none, or lies outside what is known.
function askedDay(draws, text) {
  const day = Math.round((Date.parse(text) - Date.parse(draws.vintage)) / DAY);
  return Number.isFinite(day) && day <= draws.horizon ? day : null;
}

function show(draws, view, published) {
  const now = settingsNow();
  for (const input of document.querySelectorAll(".slider input")) {
    const said = words(draws, input.id, Number(input.value), Boolean(input.dataset.set));
    byId(`${input.id}-said`).textContent = said;
    input.setAttribute("aria-valuetext", said);
  }
  const weight = weights(draws, now.shifts);
  const worth = effective(draws, weight);
  const unreliable = weight !== null && worth < draws.fewest;
  byId("shown").hidden = unreliable;
  byId("weight").textContent = weight
    ? `Effective draws under these weights: ${Math.floor(worth).toLocaleString("en-US")} of ${draws.count.toLocaleString("en-US")}.`
    : "";
  if (unreliable) {
    byId("brief").textContent = "Not shown: too few effective draws.";
    byId("said").textContent =
      `Not shown: so large a shift leaves the weight of ${Math.floor(worth)} draws, under ${draws.fewest}. ` +
      "The numbers would not be reliable; fit again with other priors instead.";
    return;
  }
  const days = depletionDays(draws, now);
  const by = askedDay(draws, now.by);
  const names = Object.keys(draws.definitions);
  fill("now-table", names.map((name) => rowOf(draws, days[name], weight, by)));
  const levels = [draws.total, draws.rate].map((values) => [0.5, 0.05, 0.95].map((level) => count(between(values, weight, level))));
  fill("levels-table", levels.map(([middle, low, high]) => [middle, `${low} to ${high}`]));
  const chosen = days[now.definition];
  const [middle, interval, asked, within] = rowOf(draws, chosen, weight, by);
  say(byId("brief"), `Median ${middle}; 90% interval ${interval}${by === null ? "" : `; by ${now.by}: ${asked}`}`);
  say(
    byId("said"),
    `${draws.passed ? "" : "Not a final result, the convergence gate failed. "}If ${condition(draws, now)}, depletion (${draws.definitions[now.definition]}) falls ` +
    `${middle.startsWith("after") ? "" : "on "}${middle} in the median; 90% interval ${interval}. ` +
    `${by === null ? "" : `By ${now.by}: ${asked}. `}By the horizon, ${dateOf(draws, draws.horizon)}: ${within}.`,
  );
  if (view) draw(draws, view, chosen, weight, by, published[now.definition]);
}

function draw(draws, view, chosen, weight, by, before) {
  const start = Date.parse(draws.vintage);
  const rows = (weeks) => weeks.map(({ low, high, share: height }) => ({ first: start + low * DAY, last: start + high * DAY, share: height }));
  const outline = rows(weekly(draws, before, null));
  outline.push({ ...outline.at(-1), first: outline.at(-1).last });
  const middle = quantile(chosen, weight, 0.5);
  const marks = [];
  if (middle > 0 && middle <= draws.horizon) marks.push({ date: start + Math.ceil(middle) * DAY, color: "#111111", dash: "solid" });
  if (by !== null && by > 0) marks.push({ date: start + by * DAY, color: "#7a4f00", dash: "dashed" });
  view.data("weeks", rows(weekly(draws, chosen, weight))).data("before", outline).data("marks", marks).runAsync();
  byId("chart").setAttribute("aria-label", `Probability of the depletion date by week. ${byId("said").textContent}`);
}

async function start() {
  const { draws: data, spec } = JSON.parse(byId("data").textContent);
  const draws = await readDraws(data);
  const options = { ast: true, renderer: "canvas", actions: false, defaultStyle: false, tooltip: false, logLevel: 1 };
  const { view } = await window.vegaEmbed("#chart", spec, options);
  const published = depletionDays(draws, settingsNow());
  const update = () => show(draws, view, published);
  document.querySelector(".controls").addEventListener("input", (event) => {
    if (["kept", "delay"].includes(event.target.id)) event.target.dataset.set = "yes";
    update();
  });
  byId("reset").addEventListener("click", () => {
    for (const input of document.querySelectorAll(".controls input")) {
      if (input.type === "radio") input.checked = input.defaultChecked;
      else input.value = input.defaultValue;
      delete input.dataset.set;
    }
    update();
  });
  update();
  performance.mark("ready");
  document.documentElement.dataset.ready = "yes";
}

if (typeof DecompressionStream === "undefined") byId("unready").hidden = false;
else start();
