// The date of each posterior draw under `hold`, changed as the reader says: the same recursion, day by day, as the
// package's `depletion` and `projection` modules. Days are counted from the end of the vintage day.
"use strict";

function bytes(text) {
  return Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
}

function floats(text) {
  return new Float32Array(bytes(text).buffer);
}

// Running totals of the wounded on each of the last days: shares of the last total, packed as chart.py says.
async function unpacked(text, count, days) {
  const stream = new Blob([bytes(text)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const high = count * days;
  const shares = new Float32Array(count * days);
  for (let draw = 0; draw < count; draw++) {
    let step = 0;
    let share = 0;
    for (let place = draw * days; place < (draw + 1) * days; place++) {
      step = (step + planes[place] + 256 * planes[high + place]) & 0xffff;
      share = (share + step) & 0xffff;
      shares[place] = share / 65535;
    }
  }
  return shares;
}

async function readDraws(data) {
  const draws = { ...data };
  for (const [name, text] of Object.entries(data.draws)) draws[name] = floats(text);
  if (data.net) draws.wounded = await unpacked(data.wounded, data.count, data.days);
  draws.stances = data.stances.map((one) => ({ ...one, unit: floats(one.unit) }));
  return draws;
}

// Part of the day that ends at `day` that lies in a pause of so many days which begins with the day `start`.
function paused(day, start, days) {
  const covered = Math.min(start - 1 + days, day) - Math.max(start - 1, day - 1);
  return Math.min(Math.max(covered, 0), 1);
}

// Days of depletion of every draw, by definition; Infinity where it is not reached within the horizon.
// settings: pace (factor), pauseStart, pauseDays, more (persons), moreDay, kept and delay (null: each draw's own).
function depletionDays(draws, settings) {
  const { count, horizon, days } = draws;
  const found = { gross: new Float64Array(count), gross_with_reinforcement: new Float64Array(count) };
  if (draws.net) found.net = new Float64Array(count);
  const open = new Float64Array(horizon + 1);
  for (let day = 1; day <= horizon; day++) open[day] = 1 - paused(day, settings.pauseStart, settings.pauseDays);
  const counted = new Float64Array(horizon + 1); // gross losses by the end of each day, nobody absorbed
  for (let draw = 0; draw < count; draw++) {
    const pace = draws.rate[draw] * settings.pace;
    const arrived = draws.arrived[draw];
    let gross = draws.past_gross ? draws.past_gross[draw] : Infinity;
    let all = draws.past_all ? draws.past_all[draw] : Infinity;
    let net = Infinity;
    counted[0] = draws.lost[draw];
    let before = draws.net ? counted[0] - returned(draws, draw, 0, counted, settings) : 0;
    for (let day = 1; day <= horizon; day++) {
      counted[day] = counted[day - 1] + pace * open[day] * draws.factor[draw];
      const there = arrived + (day >= settings.moreDay ? settings.more : 0);
      if (gross === Infinity && counted[day] >= draws.size[draw])
        gross = crossing(day, counted[day - 1], counted[day], draws.size[draw]);
      if (all === Infinity && counted[day] >= there) all = crossing(day, counted[day - 1], counted[day], there);
      // the initial contingent is never larger than all who have come, and no net loss larger than the gross one
      if (!draws.net && all < Infinity) break;
      if (!draws.net) continue;
      const after = counted[day] - returned(draws, draw, day, counted, settings);
      if (after >= there) {
        net = crossing(day, before, after, there);
        break;
      }
      before = after;
    }
    found.gross[draw] = gross;
    found.gross_with_reinforcement[draw] = all;
    if (draws.net) found.net[draw] = Math.max(all, net);
  }
  return found;

  function crossing(day, low, high, goal) {
    return day - 1 + (high > low ? Math.max(goal - low, 0) / (high - low) : 1);
  }
}

// Wounded back on duty by the end of a day ahead: a share of all who were wounded by a delay before it.
function returned(draws, draw, day, counted, settings) {
  const kept = settings.kept === null ? draws.kept[draw] : settings.kept;
  const delay = settings.delay === null ? draws.delay[draw] : settings.delay;
  const place = draws.days + day - delay;
  if (place <= 0 || kept === 0) return 0;
  const left = Math.min(Math.floor(place), draws.days + day - 1);
  const part = place - left;
  return kept * (woundedBy(left) * (1 - part) + woundedBy(left + 1) * part);

  function woundedBy(end) {
    const now = draws.wounded_now[draw];
    if (end <= 0) return 0;
    if (end <= draws.days) return now * draws.wounded[draw * draws.days + end - 1];
    const ahead = (counted[end - draws.days] - counted[0]) / draws.factor[draw];
    return now + draws.wounded_share[draw] * ahead;
  }
}

// Weights of the draws if the mean log bias of stances were so much higher than assumed, summing to 1; null if nothing is
// shifted. Under a normal prior with spread s, the density ratio of a draw u sds from the mean is exp(u x / s - (x / s)^2 / 2).
function weights(draws, shifts) {
  const shifted = draws.stances.filter((one) => shifts[one.kind]);
  if (!shifted.length) return null;
  const log = new Float64Array(draws.count);
  for (const one of shifted) {
    const step = shifts[one.kind] / one.spread;
    for (let draw = 0; draw < draws.count; draw++) log[draw] += one.unit[draw] * step - (step * step) / 2;
  }
  const top = log.reduce((a, b) => Math.max(a, b), -Infinity);
  const raw = log.map((value) => Math.exp(value - top));
  const sum = raw.reduce((a, b) => a + b, 0);
  return raw.map((value) => value / sum);
}

// Effective number of draws: the square of the weights' sum over the sum of their squares.
function effective(draws, weight) {
  return weight ? 1 / weight.reduce((sum, value) => sum + value * value, 0) : draws.count;
}

function share(values, weight, holds) {
  let sum = 0;
  for (let draw = 0; draw < values.length; draw++) if (holds(values[draw])) sum += weight ? weight[draw] : 1;
  return weight ? Math.min(sum, 1) : sum / values.length;
}

// Smallest value at or below which a share `level` of the draws lies; Infinity is a value like any other.
function quantile(values, weight, level) {
  if (!weight) return Float64Array.from(values).sort()[Math.max(Math.ceil(values.length * level - 1e-9) - 1, 0)];
  const order = Uint32Array.from(values.keys()).sort((a, b) => (values[a] === values[b] ? 0 : values[a] - values[b]));
  let sum = 0;
  for (const draw of order) {
    sum += weight[draw];
    if (sum >= level - 1e-9) return values[draw];
  }
  return values[order[order.length - 1]];
}

// Quantile of a number of persons: between two draws, on the line that joins them.
function between(values, weight, level) {
  if (weight) return quantile(values, weight, level);
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * level;
  const left = Math.min(Math.floor(place), sorted.length - 2);
  return sorted[left] + (place - left) * (sorted[left + 1] - sorted[left]);
}

// Probability of depletion in each week from the vintage, per seven days; days left over belong to the last week.
function weekly(draws, values, weight) {
  const weeks = Math.max(Math.floor(draws.horizon / 7), 1);
  const rows = [];
  for (let week = 0; week < weeks; week++) {
    const low = 7 * week;
    const high = week === weeks - 1 ? draws.horizon : low + 7;
    const inside = share(values, weight, (day) => day > low && day <= high);
    rows.push({ low, high, share: (inside * 7) / (high - low) });
  }
  return rows;
}
