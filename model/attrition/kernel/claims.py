"""Log probability of all claims with its slopes, one claim at a time, for compiled code (``claim_error`` is the text)."""

from __future__ import annotations

import math

from ..claim_error import FEW, FEWEST, RECENT_DAYS, TINY
from ..observations import (
    CAPTURED,
    DEPLOYED,
    EVACUATED,
    KILLED,
    KILLED_SHARE,
    LOSS_SHARE,
    LOSSES,
    MISSING,
    PRESENT,
    REINFORCEMENT,
    RETURNED,
    SIZE,
    WOUNDED,
)
from ..reporting import LOGISTIC_SCALE
from .access import (
    add_read,
    add_read_level,
    add_read_smoothly,
    inlined,
    logistic,
    part,
    read,
    read_level,
    read_smoothly,
)
from .interval import cell, softplus, with_slack
from .layout import BLOCK, INDEX, NUMBER, OPTION, SCALAR

NORMAL, CLAIMS, SAME_ERROR = OPTION["normal"], OPTION["claims"], OPTION["same_error"]
CATEGORY, SOURCE, MONTH, WAVE, BRIEFING, DRIFT = (
    INDEX[f"claim_{name}"] for name in ("category", "source", "month", "wave", "briefing", "drift")
)
STANCE, KIND, FIRST_CELL, CELL_COUNT = (
    INDEX[name] for name in ("source_stance", "cell_kind", "claim_first_cell", "claim_cells")
)
START, END, LAGGED, SPAN, IS_RATE, DAYS_BEFORE, STATED_ERROR, SHARED, OWN, SLACK, PLACE = (
    NUMBER[f"claim_{name}"]
    for name in (
        "start",
        "end",
        "lagged",
        "span",
        "is_rate",
        "days_before",
        "stated_error",
        "shared",
        "own",
        "slack",
        "place",
    )
)
LOG_LOW, LOG_HIGH, LOG_WIDTH, CELL_CONSTANT = (
    NUMBER[f"cell_{name}"] for name in ("log_low", "log_high", "log_width", "constant")
)
KILLED_SHIFT, ADVERSARY, INTENSITY_LOG_RATE = (
    NUMBER[name] for name in ("source_killed_shift", "source_adversary", "intensity_log_rate")
)
BRIEFING_UNIT, MONTH_UNIT = BLOCK["briefing_unit"], BLOCK["month_unit"]
ERROR, KILLED_ERROR, DEPLOYED_ERROR, PRESENT_ERROR, MOVEMENT_ERROR = (
    SCALAR[name] for name in ("claim_error", "claim_error_killed", "deployed_error", "present_error", "movement_error")
)
CAPTURED_RATIO, MISSING_RATIO, HOME, BACK, DELAY, INTENSITY = (
    SCALAR[name]
    for name in (
        "captured_ratio",
        "missing_ratio",
        "evacuated_fraction",
        "return_fraction",
        "return_delay",
        "adversary_intensity",
    )
)
INTENSITY_PRIOR = NUMBER["prior_adversary_intensity"]


@inlined
def _error_of(indices, category):
    """Scalar that is the sd of a claim's error."""
    if category in (KILLED, KILLED_SHARE):
        return ERROR if indices[SAME_ERROR] == 1 else KILLED_ERROR
    if category == DEPLOYED:
        return DEPLOYED_ERROR
    if category == PRESENT:
        return PRESENT_ERROR
    if category >= REINFORCEMENT:
        return MOVEMENT_ERROR
    return ERROR


@inlined
def _loss_between(total, start, end, smooth):
    """Part of a running total between two places, and its slope in the second."""
    until, slope = read_smoothly(total, end) if smooth else read(total, end)
    return until - read(total, start)[0], slope


@inlined
def _add_loss_between(bar, start, end, smooth, amount):
    if smooth:
        add_read_smoothly(bar, end, amount)
    else:
        add_read(bar, end, amount)
    add_read(bar, start, -amount)


@inlined
def claims(x, numbers, indices, scalars, ratios, state, by_source, slack, drift, wave_size, bars, grad):
    """Log probability of all claims; their slopes are added to the bars.

    Parameters
    ----------
    ratios : (3,)
        Captured and missing per casualty, and gross loss per casualty.
    state : (4, day)
        Killed and wounded so far, killed so far, wounded so far, arrivals.
    by_source : (4, source)
        Bias, departure of the killed share, of the size, and delay.
    slack, drift, wave_size
        By stance, by place of the drift, by wave.
    bars
        Slopes in scalars, ratios, state, by_source, slack, drift and wave_size; added to.
    grad
        Slopes in the free parameters; those of briefings and months are added to.
    """
    bar_scalars, bar_ratios, bar_state, bar_source, bar_slack, bar_drift, bar_wave = bars
    loss_total, killed_total, wounded_total, arrivals = state[0], state[1], state[2], state[3]
    category_of, source_of = part(indices, indices, CATEGORY), part(indices, indices, SOURCE)
    start_of, end_of, lagged = (
        part(numbers, indices, START),
        part(numbers, indices, END),
        part(numbers, indices, LAGGED),
    )
    is_rate, days_before = part(numbers, indices, IS_RATE), part(numbers, indices, DAYS_BEFORE)
    stated, shared, own = (
        part(numbers, indices, STATED_ERROR),
        part(numbers, indices, SHARED),
        part(numbers, indices, OWN),
    )
    span, month = part(numbers, indices, SPAN), part(indices, indices, MONTH)
    has_slack, place = part(numbers, indices, SLACK), part(numbers, indices, PLACE)
    kinds, first_cell, cell_count = (
        part(indices, indices, KIND),
        part(indices, indices, FIRST_CELL),
        part(indices, indices, CELL_COUNT),
    )
    log_low, log_high = part(numbers, indices, LOG_LOW), part(numbers, indices, LOG_HIGH)
    log_width, constant = part(numbers, indices, LOG_WIDTH), part(numbers, indices, CELL_CONSTANT)
    shift_of, adversary = part(numbers, indices, KILLED_SHIFT), part(numbers, indices, ADVERSARY)
    stance_of, wave_of = part(indices, indices, STANCE), part(indices, indices, WAVE)
    briefing_of, drift_of = part(indices, indices, BRIEFING), part(indices, indices, DRIFT)
    month_unit, briefing_unit = part(x, indices, MONTH_UNIT), part(x, indices, BRIEFING_UNIT)
    normal = indices[NORMAL] == 1
    stretch = 1.0 if normal else LOGISTIC_SCALE
    captured, missing, gross = ratios[0], ratios[1], ratios[2]
    back, delay = (1.0 - scalars[HOME]) * scalars[BACK], scalars[DELAY]
    total = 0.0
    for c in range(indices[CLAIMS]):
        category, source, start = category_of[c], source_of[c], start_of[c]
        of_losses = category < SIZE

        # when
        end, by_month = end_of[c] - lagged[c] * by_source[3, source], 0.0
        smooth = lagged[c] >= 0.5
        if span.size and span[c] != 0.0:
            unit = logistic(month_unit[month[c]])
            end -= span[c] * unit
            by_month = -span[c] * unit * (1.0 - unit)
            smooth = smooth or span[c] >= 0.5
        first = start + 1.0 if of_losses else start
        held = end < first
        if held:
            end = first

        # how much: the center and its slopes
        center, by_end = 0.0, 0.0
        loss, killed, wounded, number = 0.0, 0.0, 0.0, 0.0
        by_loss, by_killed, by_wounded, by_logit, by_gross_loss, by_there = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        loss_slope, killed_slope, there_slope, by_number = 0.0, 0.0, 0.0, 0.0
        if of_losses:
            loss, loss_slope = _loss_between(loss_total, start, end, smooth)
            if category != LOSS_SHARE:
                by_loss = 1.0 / loss if loss > TINY else 0.0
                center = math.log(max(loss, TINY))
            if category in (KILLED, WOUNDED, KILLED_SHARE):
                killed, killed_slope = _loss_between(killed_total, start, end, smooth)
                wounded = loss - killed
                by_killed = 1.0 / killed if killed > TINY else 0.0
                by_wounded = 1.0 / wounded if wounded > TINY else 0.0
                logit = math.log(max(killed, TINY)) - math.log(max(wounded, TINY)) + by_source[1, source]
                if category == KILLED:
                    minus, by_minus = softplus(-logit)
                    center += shift_of[source] - minus
                    by_logit = by_minus
                elif category == WOUNDED:
                    plus, by_plus = softplus(logit)
                    center -= plus
                    by_logit = -by_plus
                else:
                    center, by_loss, by_logit = logit + shift_of[source], 0.0, 1.0
            elif category == LOSSES:
                center += math.log1p(captured + missing)
            elif category == CAPTURED:
                center += math.log(max(captured, TINY))
            elif category == MISSING:
                center += math.log(max(missing, TINY))
            elif category == LOSS_SHARE:
                there, there_slope = read_level(arrivals, end)
                lost, left = gross * loss, there - gross * loss
                center = math.log(max(lost, TINY)) - math.log(max(left, FEWEST))
                by_there = -1.0 / left if left > FEWEST else 0.0
                by_gross_loss = (1.0 / lost if lost > TINY else 0.0) - by_there
            if is_rate[c] > 0.5:
                days = end - start + days_before[c]
                center -= math.log(days)
                by_end -= 1.0 / days
            if category != KILLED_SHARE:
                center += by_source[0, source]
                if drift.size:
                    center += drift[drift_of[c]]
        else:
            if category == REINFORCEMENT:
                number = wave_size[wave_of[c]]
            elif category == EVACUATED:
                number = scalars[HOME] * (read(wounded_total, end)[0] - read(wounded_total, start)[0])
            elif category == RETURNED:
                number = back * (read(wounded_total, end - delay)[0] - read(wounded_total, start - delay)[0])
            else:
                number, there_slope = read_level(arrivals, end)
                if category == PRESENT:
                    number += back * read(wounded_total, end - delay)[0] - gross * read(loss_total, end)[0]
            if category >= RETURNED:
                number = max(number, 0.0)
                spread = number * number + FEW * FEW
                center, by_number = 0.5 * math.log(spread), number / spread
            else:
                center, by_number = math.log(max(number, FEWEST)), 1.0 / number if number > FEWEST else 0.0
            if category < RETURNED:
                center += by_source[2, source]
        heavier, rate, before, window = 0.0, 0.0, 0.0, 1.0
        intense = (
            indices[INTENSITY_PRIOR + 1] > 0 and of_losses and category != KILLED_SHARE and adversary[source] != 0.0
        )
        if intense:
            before = max(end - RECENT_DAYS, 0.0)
            window = max(end - before, 1.0)
            rate = (read(loss_total, end)[0] - read(loss_total, before)[0]) / window
            heavier = math.log(max(rate, TINY)) - part(numbers, indices, INTENSITY_LOG_RATE)[0]
            center += scalars[INTENSITY] * adversary[source] * heavier

        # how sure, and how it was said
        error = _error_of(indices, category)
        sd = stated[c] if stated[c] > 0.0 else scalars[error]
        if briefing_of.size:
            center += sd * shared[c] * briefing_unit[briefing_of[c]]
        scale = sd * own[c] * stretch
        at, stance = first_cell[c], stance_of[source]
        if cell_count[c] > 1:
            log_p, bar, bar_scale, by_q = with_slack(
                normal,
                at,
                cell_count[c],
                kinds,
                log_low,
                log_high,
                log_width,
                place[c],
                slack[stance] * has_slack[c],
                center,
                scale,
            )
            bar_slack[stance] += by_q * has_slack[c]
        else:
            log_p, bar, bar_scale = cell(normal, kinds[at], log_low[at], log_high[at], log_width[at], center, scale)
        total += log_p + constant[at]

        # back again
        bar_sd = bar_scale * own[c] * stretch
        if briefing_of.size:
            bar_sd += bar * shared[c] * briefing_unit[briefing_of[c]]
            grad[indices[BRIEFING_UNIT] + briefing_of[c]] += bar * sd * shared[c]
        if stated[c] <= 0.0:
            bar_scalars[error] += bar_sd
        bar_end = 0.0
        if intense:
            bar_scalars[INTENSITY] += bar * adversary[source] * heavier
            if rate > TINY:
                by_rate = bar * scalars[INTENSITY] * adversary[source] / rate
                add_read(bar_state[0], end, by_rate / window)
                add_read(bar_state[0], before, -by_rate / window)
                slope = read(loss_total, end)[1]
                if before > 0.0:
                    slope -= read(loss_total, before)[1]
                elif end > 1.0:
                    slope -= rate
                bar_end += by_rate / window * slope
        if of_losses:
            if category == LOSS_SHARE:
                bar_loss = bar * by_gross_loss * gross
                bar_ratios[2] += bar * by_gross_loss * loss
                add_read_level(bar_state[3], end, bar * by_there)
                bar_end += bar * by_there * there_slope
            else:
                bar_loss = bar * (by_loss - by_logit * by_wounded)
            bar_killed = bar * by_logit * (by_killed + by_wounded)
            _add_loss_between(bar_state[0], start, end, smooth, bar_loss)
            bar_end += bar * by_end + bar_loss * loss_slope
            if by_logit != 0.0:
                bar_source[1, source] += bar * by_logit
                _add_loss_between(bar_state[1], start, end, smooth, bar_killed)
                bar_end += bar_killed * killed_slope
            if category == LOSSES:
                bar_ratios[0] += bar / (1.0 + captured + missing)
                bar_ratios[1] += bar / (1.0 + captured + missing)
            elif category == CAPTURED and captured > TINY:
                bar_ratios[0] += bar / captured
            elif category == MISSING and missing > TINY:
                bar_ratios[1] += bar / missing
            if category != KILLED_SHARE:
                bar_source[0, source] += bar
                if drift.size:
                    bar_drift[drift_of[c]] += bar
        else:
            if category < RETURNED:
                bar_source[2, source] += bar
            if by_number > 0.0:
                bar_number = bar * by_number
                if category == REINFORCEMENT:
                    bar_wave[wave_of[c]] += bar_number
                elif category == EVACUATED:
                    amount = bar_number * scalars[HOME]
                    bar_scalars[HOME] += bar_number * number / scalars[HOME]
                    add_read(bar_state[2], end, amount)
                    add_read(bar_state[2], start, -amount)
                    bar_end += amount * read(wounded_total, end)[1]
                elif category in (RETURNED, PRESENT):
                    value, slope = read(wounded_total, end - delay)
                    amount = bar_number * back
                    add_read(bar_state[2], end - delay, amount)
                    bar_end += amount * slope
                    by_delay = slope
                    if category == RETURNED:
                        value_then, slope_then = read(wounded_total, start - delay)
                        add_read(bar_state[2], start - delay, -amount)
                        value -= value_then
                        by_delay -= slope_then
                    bar_scalars[DELAY] -= amount * by_delay
                    bar_scalars[HOME] -= bar_number * value * scalars[BACK]
                    bar_scalars[BACK] += bar_number * value * (1.0 - scalars[HOME])
                if category in (PRESENT, DEPLOYED):
                    add_read_level(bar_state[3], end, bar_number)
                    bar_end += bar_number * there_slope
                if category == PRESENT:
                    lost, slope = read(loss_total, end)
                    bar_ratios[2] -= bar_number * lost
                    add_read(bar_state[0], end, -bar_number * gross)
                    bar_end -= bar_number * gross * slope
        if not held:
            bar_source[3, source] -= bar_end * lagged[c]
            if by_month != 0.0:
                grad[indices[MONTH_UNIT] + month[c]] += bar_end * by_month
    return total
