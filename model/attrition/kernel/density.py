"""Log density of all free parameters and its gradient, for compiled code (``latent`` and ``build_model`` are the text)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..build import ROOM_WIDTH
from ..strength import ARRIVAL_DAYS, SHARPNESS, TINY
from .access import (
    add_read_smoothly,
    fill,
    inlined,
    log_logistic,
    logistic,
    new,
    part,
    read_smoothly,
    table,
    zeros,
)
from .claims import claims
from .forms import CONSTANT, PHASED
from .killed import killed_share, killed_share_back
from .layout import (
    BLOCK,
    FIRST_SCALAR,
    FIXED,
    INDEX,
    NUMBER,
    OPTION,
    SCALAR,
)
from .rate import (
    phase_levels,
    phased_rate,
    phased_rate_back,
    plain_rate,
    plain_rate_back,
    walk,
    walk_back,
)
from .units import NUMBER_OF_SCALARS, dates, scalar_values, standard, uniform

FORM, TRUNCATE, DAYS = OPTION["form"], OPTION["truncate"], OPTION["days"]
SIZE, CAPTURED, MISSING, DRIFT_SD = (
    SCALAR[name] for name in "contingent_size captured_ratio missing_ratio source_drift_sd".split()
)
BLOCK_RATE, BLOCK_RATE_FIRST, DAY_UNIT, PHASE_UNIT, WAVE_SIZE_UNIT, WAVE_DAY_UNIT, SHARE_UNIT = (
    BLOCK[name]
    for name in "rate_unit rate_first_unit phase_day_unit phase_rate_unit wave_size_unit wave_day_unit share_unit".split()
)
GROUP_UNIT, SIZE_UNIT, LAG_UNIT, OWN_SHIFTED, KILLED_SHIFTED = (
    BLOCK[f"source_{name}"] for name in "group_unit deployed_unit lag_unit own_shifted killed_shifted".split()
)
STANCE_UNIT, SLACK, DRIFT_UNIT, BRIEFING_UNIT, MONTH_UNIT = (
    BLOCK[name] for name in "stance_unit floor_slack drift_unit briefing_unit month_unit".split()
)
STANDARD = (
    GROUP_UNIT, SIZE_UNIT, LAG_UNIT, STANCE_UNIT, SHARE_UNIT, WAVE_SIZE_UNIT, DRIFT_UNIT, BRIEFING_UNIT, PHASE_UNIT,
)  # fmt: skip
PHASE_DATE, PHASE_SD, PHASE_LATEST, LOG_RATE = (NUMBER[f"phase_{name}"] for name in "date sd latest log_rate".split())
WAVE_KNOWN, WAVE_DATE, WAVE_SD, WAVE_LATEST, WAVE_SIZE = (
    NUMBER[f"wave_{name}"] for name in "known date sd latest log_size".split()
)
ARRIVED, DAY_NUMBER, OTHER_CLAIMED = (NUMBER[name] for name in "day_arrived day_number other_claimed".split())
STANCE, GROUP, DRIFT_FIRST = (INDEX[name] for name in "source_stance source_group drift_first".split())
STANCE_PRIOR, LAG_PRIOR, GROUP_SD, OWN_SD, DRIFT_STEP = (
    NUMBER[name] for name in "stance_prior lag_prior source_group_sd source_own_sd drift_step".split()
)
SLACK_PRIOR, SIZE_SD, KILLED_SD = (
    NUMBER[f"prior_{name}"] for name in "floor_slack deployed_source_sd killed_share_source_sd".split()
)
ANCHOR_SCALE, ANCHOR_END, ANCHOR_LAGGED, ANCHOR_LOG_VALUE, ANCHOR_KILLED = (
    NUMBER[f"anchor_{name}"] for name in "scale end lagged log_value killed".split()
)
HALVINGS = round(math.log2(SHARPNESS))  # the minimum's power is a power of two: roots and squares are quick
ROOT, MOST = 1.0 / SHARPNESS, 1e15
SLIGHT = 1e-5**ROOT


@njit(error_model="numpy")
def density(x, numbers, indices, grad):
    """Log density at a point, up to the layout's constant; the gradient is written to ``grad``; vectors are contiguous."""
    return log_density(x, numbers, indices, grad, np.ones(1))


@inlined
def log_density(x, numbers, indices, grad, room):
    """As ``density``; what it makes is in the workspace ``room``."""
    days = indices[DAYS]
    fill(grad, 0.0)
    scalars, slopes = new(room, NUMBER_OF_SCALARS), new(room, NUMBER_OF_SCALARS)
    logp = scalar_values(x, numbers, indices, scalars, slopes, grad)
    bar_scalars = zeros(room, NUMBER_OF_SCALARS)
    for block in STANDARD:
        logp += standard(x, indices, block, grad)
    logp += uniform(x, indices, MONTH_UNIT, grad)

    # the rate
    form = indices[FORM]
    rate = new(room, days)
    knots = new(room, 0)
    if form != CONSTANT:
        logp += standard(x, indices, BLOCK_RATE_FIRST, grad) + standard(x, indices, BLOCK_RATE, grad)
        knots = walk(x, numbers, indices, scalars, room)
    phases = indices[DAY_UNIT + 1] if form == PHASED else 0
    starts, start_slopes = new(room, phases), new(room, phases)
    levels = phase_levels(x, numbers, indices, room)
    own, faded, before, spans = (
        new(room, days * phases),
        new(room, days * phases),
        new(room, days * phases),
        new(room, 2 * phases),
    )
    if form == PHASED:
        logp += dates(x, numbers, indices, DAY_UNIT, PHASE_LATEST, PHASE_DATE, PHASE_SD, starts, start_slopes, grad)
        phased_rate(numbers, indices, scalars, knots, levels, starts, rate, own, faded, before, spans)
    else:
        plain_rate(numbers, indices, scalars, knots, rate)

    # who has arrived
    waves = indices[WAVE_SIZE_UNIT + 1]
    wave_size, wave_day, wave_day_slopes = new(room, waves), new(room, waves), new(room, waves)
    state = table(new(room, 4 * days), 4)
    loss, killed, wounded, arrivals = state[0], state[1], state[2], state[3]
    arrived = part(numbers, indices, ARRIVED)
    for d in range(days):
        arrivals[d] = scalars[SIZE] * arrived[d]
    wave_known, log_size = part(numbers, indices, WAVE_KNOWN), part(numbers, indices, WAVE_SIZE)
    wave_unit, day = part(x, indices, WAVE_SIZE_UNIT), part(numbers, indices, DAY_NUMBER)
    if waves:
        logp += dates(
            x, numbers, indices, WAVE_DAY_UNIT, WAVE_LATEST, WAVE_DATE, WAVE_SD, wave_day, wave_day_slopes, grad
        )
    for w in range(waves):
        wave_size[w] = math.exp(log_size[2 * w] + log_size[2 * w + 1] * wave_unit[w])
        if wave_known[w] != 0.0:
            for d in range(days):
                arrivals[d] += wave_size[w] * min(max(1.0 + (day[d] - wave_day[w]) / ARRIVAL_DAYS, 0.0), 1.0)

    # what was lost: the rate's sum, absorbed at the strength
    claimed = part(numbers, indices, OTHER_CLAIMED)
    ratios = new(room, 3)
    ratios[0], ratios[1] = claimed[0] * scalars[CAPTURED], claimed[1] * scalars[MISSING]
    ratios[2] = 1.0 + ratios[0] + ratios[1]
    gross, truncate = ratios[2], indices[TRUNCATE] == 1
    intended, taken = new(room, days), new(room, days if truncate else 0)
    running = 0.0
    for d in range(days):
        running += rate[d]
        intended[d] = loss[d] = running
    least, tightest = np.inf, 0
    if truncate:
        for d in range(days):  # the part of those who have arrived that the rate alone would have taken
            taken[d] = max(gross * intended[d], TINY) / max(arrivals[d], TINY)
        most = 0.0
        for d in range(days):
            if taken[d] > most:
                most, tightest = taken[d], d
        least = 1.0 / most
        if most < SLIGHT:  # two terms of the root's series are then enough to the last digit
            for d in range(days):
                excess = taken[d]
                for _ in range(HALVINGS):
                    excess *= excess
                taken[d] = excess / (1.0 + excess)
                loss[d] = intended[d] * (1.0 - ROOT * excess * (1.0 - 0.5 * (1.0 + ROOT) * excess))
        else:
            for d in range(days):
                excess = min(taken[d], MOST)
                for _ in range(HALVINGS):
                    excess *= excess
                kept = 1.0 / (1.0 + excess)
                taken[d] = excess * kept
                for _ in range(HALVINGS):
                    kept = math.sqrt(kept)
                loss[d] = intended[d] * kept
    margin_slope = 0.0
    if truncate:
        margin = math.log(least) / ROOM_WIDTH
        logp += log_logistic(margin)
        margin_slope = logistic(-margin) / ROOM_WIDTH

    # who of them was killed
    logit, share_sd, share, share_knots = killed_share(x, numbers, indices, scalars, days, room)
    running = 0.0
    for d in range(days):
        running += share[d] * (loss[d] - loss[d - 1] if d > 0 else loss[0])
        killed[d] = running
        wounded[d] = loss[d] - running

    # how the sources speak
    stance_of, group_of = part(indices, indices, STANCE), part(indices, indices, GROUP)
    stance_prior, lag_prior = part(numbers, indices, STANCE_PRIOR), part(numbers, indices, LAG_PRIOR)
    group_sd, own_sd = part(numbers, indices, GROUP_SD), part(numbers, indices, OWN_SD)
    size_sd, killed_sd = part(numbers, indices, SIZE_SD)[0], part(numbers, indices, KILLED_SD)[0]
    anchor_scale, anchor_end, anchor_lagged = (
        part(numbers, indices, ANCHOR_SCALE),
        part(numbers, indices, ANCHOR_END),
        part(numbers, indices, ANCHOR_LAGGED),
    )
    anchor_log_value, anchor_killed = part(numbers, indices, ANCHOR_LOG_VALUE), part(numbers, indices, ANCHOR_KILLED)
    stance_unit, group_unit = part(x, indices, STANCE_UNIT), part(x, indices, GROUP_UNIT)
    size_unit, lag_unit = part(x, indices, SIZE_UNIT), part(x, indices, LAG_UNIT)
    own_shifted, killed_shifted = part(x, indices, OWN_SHIFTED), part(x, indices, KILLED_SHIFTED)
    sources = own_shifted.size
    by_source, own_unit, killed_unit = (
        table(new(room, 4 * sources), 4),
        new(room, sources),
        new(room, sources),
    )
    for i in range(sources):
        stance = stance_of[i]
        common = stance_prior[2 * stance] + stance_prior[2 * stance + 1] * stance_unit[stance]
        common += group_sd[i] * group_unit[group_of[i]]
        lag = math.exp(lag_prior[2 * stance] + lag_prior[2 * stance + 1] * lag_unit[i])
        own_unit[i] = own_shifted[i]
        if anchor_scale[i] != 0.0:
            spoken, _ = read_smoothly(loss, max(anchor_end[i] - anchor_lagged[i] * lag, 1.0))
            spoken = (math.log(spoken) if spoken > 1e-9 else math.log(1e-9)) - anchor_log_value[i]
            own_unit[i] -= anchor_scale[i] * (common + spoken)
        killed_unit[i] = killed_shifted[i] - anchor_killed[i] * (logit + 1.0)
        logp -= 0.5 * (own_unit[i] * own_unit[i] + killed_unit[i] * killed_unit[i])
        by_source[0, i] = common + own_sd[i] * own_unit[i]
        by_source[1, i] = killed_sd * killed_unit[i]
        by_source[2, i] = size_sd * size_unit[i]
        by_source[3, i] = lag
    slack, grad_slack = new(room, indices[SLACK + 1]), part(grad, indices, SLACK)
    slack_unit, slack_prior = part(x, indices, SLACK), part(numbers, indices, SLACK_PRIOR)
    for k in range(slack.size):
        slack[k] = logistic(slack_unit[k])
        logp += slack_prior[0] * log_logistic(slack_unit[k]) + slack_prior[1] * log_logistic(-slack_unit[k])
        grad_slack[k] += slack_prior[0] * (1.0 - slack[k]) - slack_prior[1] * slack[k]
    drift_unit, drift_step, drift_first = (
        part(x, indices, DRIFT_UNIT),
        part(numbers, indices, DRIFT_STEP),
        part(indices, indices, DRIFT_FIRST),
    )
    drift_walk, drift = new(room, drift_unit.size), new(room, drift_unit.size)
    running = 0.0
    for j in range(drift.size):
        running += drift_step[j] * drift_unit[j]
        drift_walk[j] = running
        drift[j] = scalars[DRIFT_SD] * (running - drift_walk[drift_first[j]])

    # the claims
    bar_ratios, bar_state, bar_source = (
        zeros(room, 3),
        table(zeros(room, 4 * days), 4),
        table(zeros(room, 4 * sources), 4),
    )
    bar_slack, bar_drift, bar_wave = zeros(room, slack.size), zeros(room, drift.size), zeros(room, waves)
    bars = (bar_scalars, bar_ratios, bar_state, bar_source, bar_slack, bar_drift, bar_wave)
    logp += claims(x, numbers, indices, scalars, ratios, state, by_source, slack, drift, wave_size, bars, grad)

    # back again: sources
    for k in range(slack.size):
        grad_slack[k] += bar_slack[k] * slack[k] * (1.0 - slack[k])
    grad_drift, later = part(grad, indices, DRIFT_UNIT), 0.0
    bar_walk = zeros(room, drift.size)
    for j in range(drift.size):
        bar_scalars[DRIFT_SD] += bar_drift[j] * (drift_walk[j] - drift_walk[drift_first[j]])
        bar_walk[j] += bar_drift[j] * scalars[DRIFT_SD]
        bar_walk[drift_first[j]] -= bar_drift[j] * scalars[DRIFT_SD]
    for j in range(drift.size - 1, -1, -1):
        later += bar_walk[j]
        grad_drift[j] += later * drift_step[j]
    grad_own, grad_killed = part(grad, indices, OWN_SHIFTED), part(grad, indices, KILLED_SHIFTED)
    grad_stance, grad_group = part(grad, indices, STANCE_UNIT), part(grad, indices, GROUP_UNIT)
    grad_size, grad_lag = part(grad, indices, SIZE_UNIT), part(grad, indices, LAG_UNIT)
    bar_loss, bar_killed, bar_wounded, bar_arrivals = bar_state[0], bar_state[1], bar_state[2], bar_state[3]
    bar_logit = 0.0
    for i in range(sources):
        stance, lag = stance_of[i], by_source[3, i]
        bar_unit = bar_source[0, i] * own_sd[i] - own_unit[i]
        grad_own[i] += bar_unit
        bar_common, bar_lag = bar_source[0, i], bar_source[3, i]
        if anchor_scale[i] != 0.0:
            bar_mean = -bar_unit * anchor_scale[i]
            bar_common += bar_mean
            place = max(anchor_end[i] - anchor_lagged[i] * lag, 1.0)
            spoken, slope = read_smoothly(loss, place)
            if spoken > 1e-9:
                add_read_smoothly(bar_loss, place, bar_mean / spoken)
                if place > 1.0:
                    bar_lag -= bar_mean * slope / spoken * anchor_lagged[i]
        bar_killed_unit = bar_source[1, i] * killed_sd - killed_unit[i]
        grad_killed[i] += bar_killed_unit
        bar_logit -= bar_killed_unit * anchor_killed[i]
        grad_size[i] += bar_source[2, i] * size_sd
        grad_lag[i] += bar_lag * lag * lag_prior[2 * stance + 1]
        grad_stance[stance] += bar_common * stance_prior[2 * stance + 1]
        grad_group[group_of[i]] += bar_common * group_sd[i]

    # the killed
    bar_share, bar_shared, later = new(room, days), new(room, days), 0.0
    for d in range(days - 1, -1, -1):
        later += bar_killed[d] - bar_wounded[d]
        bar_share[d] = later
    for d in range(days):
        bar_shared[d] = bar_share[d] * share[d]
        bar_loss[d] += bar_wounded[d] + bar_shared[d]
    for d in range(days - 1):
        bar_loss[d] -= bar_shared[d + 1]
        bar_shared[d + 1] = loss[d]
    bar_shared[0] = 0.0
    for d in range(days):
        bar_share[d] *= loss[d] - bar_shared[d]
    killed_share_back(
        numbers, indices, scalars, share_sd, share, share_knots, bar_share, bar_logit, bar_scalars, grad, room
    )

    # the losses
    bar_rate, later, by_gross = new(room, days), 0.0, 0.0
    for d in range(days):
        bar_rate[d] = bar_loss[d]
    if truncate:
        for d in range(days):
            each, bar_excess = 1.0 / max(intended[d], TINY), -bar_loss[d] * loss[d] * taken[d]
            bar_arrivals[d] -= bar_excess / arrivals[d] if arrivals[d] > TINY else 0.0
            bar_excess = bar_excess if gross * intended[d] > TINY else 0.0
            bar_rate[d] *= loss[d] * each if intended[d] > TINY else 1.0
            bar_rate[d] += bar_excess * each
            by_gross += bar_excess
        if gross * intended[tightest] > TINY:
            bar_rate[tightest] -= margin_slope / intended[tightest]
            by_gross -= margin_slope
        if arrivals[tightest] > TINY:
            bar_arrivals[tightest] += margin_slope / arrivals[tightest]
    for d in range(days - 1, -1, -1):
        later += bar_rate[d]
        bar_rate[d] = later
    bar_gross = bar_ratios[2] + by_gross / gross
    bar_scalars[CAPTURED] += (bar_ratios[0] + bar_gross) * claimed[0]
    bar_scalars[MISSING] += (bar_ratios[1] + bar_gross) * claimed[1]

    # the arrivals
    grad_wave, grad_wave_day = part(grad, indices, WAVE_SIZE_UNIT), part(grad, indices, WAVE_DAY_UNIT)
    for d in range(days):
        bar_scalars[SIZE] += bar_arrivals[d] * arrived[d]
    for w in range(waves):
        bar_size, bar_day = bar_wave[w], 0.0
        if wave_known[w] != 0.0:
            for d in range(days):
                there = 1.0 + (day[d] - wave_day[w]) / ARRIVAL_DAYS
                if there > 0.0:
                    bar_size += bar_arrivals[d] * min(there, 1.0)
                    if there < 1.0:
                        bar_day -= bar_arrivals[d] * wave_size[w] / ARRIVAL_DAYS
        grad_wave[w] += bar_size * wave_size[w] * log_size[2 * w + 1]
        grad_wave_day[w] += bar_day * wave_day_slopes[w]

    # the rate
    bar_knots = zeros(room, knots.size)
    if form == PHASED:
        bar_levels, bar_starts = zeros(room, phases), zeros(room, phases)
        phased_rate_back(
            numbers, indices, scalars, knots, levels, starts, own, faded, before, spans,
            bar_rate, bar_knots, bar_levels, bar_starts, bar_scalars,
        )  # fmt: skip
        log_rate, grad_phases = part(numbers, indices, LOG_RATE), part(grad, indices, PHASE_UNIT)
        grad_dates = part(grad, indices, DAY_UNIT)
        for p in range(phases):
            grad_dates[p] += bar_starts[p] * start_slopes[p]
            grad_phases[p] += bar_levels[p] * log_rate[2 * p + 1]
    else:
        plain_rate_back(numbers, indices, scalars, knots, rate, bar_rate, bar_knots, bar_scalars)
    if form != CONSTANT:
        walk_back(x, indices, scalars, knots, bar_knots, bar_scalars, grad)
    for s in range(NUMBER_OF_SCALARS):
        if indices[FIRST_SCALAR + 2 * s] != FIXED:
            grad[indices[FIRST_SCALAR + 2 * s + 1]] += bar_scalars[s] * slopes[s]
    return logp
