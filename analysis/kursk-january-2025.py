# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # North Korean losses in Kursk, as known on 16 January 2025
#
# On 16 January 2025 the Institute for the Study of War divided one claim by a number of days, got 92 killed and wounded a day,
# and wrote that the whole force of some 12,000 could be killed or wounded by mid-April 2025 if that rate held.
#
# That week Ukraine's president had said 3,800 (and then 4,000), South Korea's intelligence service 300 killed and 2,700 wounded,
# and the Pentagon "over 1,000". These figures disagree by a factor of four. **How many, how many a day, by when, and how sure can
# one be?**
#
# The numbers below are about people who were killed or wounded. They are estimates from public statements, conditional on the
# assumptions that are stated with them.

# %%
import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import attrition as at

draws = 1000
settings = at.Settings(draws=draws)
pd.set_option("display.max_colwidth", 80)

# %% [markdown]
# ## The claims
#
# A record holds every public statement, one row each. `known_by` keeps what was public on a day: a forecast must not know later
# claims.

# %%
record = at.load_claims("dprk-kursk")
campaign = at.load_campaign("dprk-kursk")
claims = record.known_by("2025-01-16")
claims

# %% [markdown]
# These rows are evidence. A stated number is read as the interval that it stands for: about 3,800 is 3,750 to 3,850; "over 3,000"
# is said by one who would say "over 4,000" at 4,000, or, less likely, by one whose own estimate has moved on since; "several hundred"
# is a floor with no upper side (`open`).

# %%
columns = ["claim_id", "source", "source_kind", "as_of", "quantity", "value", "bound", "open"]
claims.evidence[columns]

# %% [markdown]
# The rest stays out, each row with its reason. A source that repeats itself, or another, is not a second observation. ISW's 92 a
# day is computed from one of the claims: it is compared with the answer and never fed to it.

# %%
claims.set_aside.groupby("reason")["claim_id"].agg(["count", ", ".join]).rename(columns={"join": "claims"})

# %% [markdown]
# ## The fit
#
# One latent curve of cumulative losses; every source sees it through a bias of its own, with error, and rounds. What is assumed
# about biases, rates and errors is a table of priors, each with its reason.

# %%
priors = at.default_priors(campaign)
priors.table()

# %%
fit = at.fit(claims, campaign, priors, seed=1, settings=settings)
fit

# %%
fig, ax = plt.subplots(figsize=(7.5, 5.0))
at.cumulative_figure(fit, ax=ax)
plt.show()

# %% [markdown]
# The curve runs between the claims, not through any one of them: sources that fight the contingent are expected to overstate its
# losses, and the model learns by how much they disagree.

# %%
total = fit.posterior["cumulative_loss"].isel(day=-1)
rate = at.rate_since(fit)
quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
pd.DataFrame(
    {
        "killed and wounded by 16 January": np.quantile(total, quantiles),
        "a day since 6 December": np.quantile(rate, quantiles),
        "killed, of those": np.quantile(total * fit.posterior["killed_share"], quantiles),
    },
    index=pd.Index(quantiles, name="quantile"),
).round(0)

# %% [markdown]
# ## The date
#
# A date needs a statement about the future. Under `hold` every draw keeps its own mean rate since the escalation: this is the
# newspaper's sentence with its uncertainty. Under `forecast` the rate goes on as it has moved, returning to the level that forces in
# theatre sustain.

# %%
held = at.depletion_date(fit, at.hold())
held

# %%
forecast = at.depletion_date(fit, at.forecast())
forecast

# %%
fig, ax = plt.subplots(figsize=(7.5, 5.0))
at.date_figure(fit, [held, forecast], ax=ax)
plt.show()

# %% [markdown]
# A date is worth no more than its condition. The same draws under other ones, each named by its sentence:

# %%
scenarios = [
    at.hold(),
    at.hold_last(14),
    at.hold().multiplied(0.5),
    at.pause(days=21, scenario=at.hold()),
    at.hold().reinforced(3000, "2025-02-15", sd_days=5),
    at.forecast(),
]
rows = {}
for scenario in scenarios:
    dates = at.depletion_dates(fit, scenario)
    rows[scenario.sentence(fit)] = {
        **{f"{name}, median": date.quantile_text(0.5) for name, date in dates.items()},
        "gross by 15 April": round(dates["gross"].probability_by("2025-04-15"), 2),
        "net by 15 April": round(dates["net"].probability_by("2025-04-15"), 2),
    }
pd.DataFrame.from_dict(rows, orient="index").rename_axis("if")

# %% [markdown]
# `gross` asks when as many have been lost as came first; `gross_with_reinforcement` counts everybody who came; `net` also counts the
# wounded who are back. If each day takes the same share of those who are left, all are never lost; half of them may be:

# %%
at.days_to_share(fit, at.per_capita(), 0.5)

# %% [markdown]
# ## The sentence in the newspapers
#
# Where does "92 a day, all by mid-April" lie in the posterior?

# %%
place = at.reference_place(fit, held)
pd.DataFrame(
    {
        "ISW": [f"{place.rate:.0f} a day", str(place.date)],
        "share of the posterior at or below it": [place.rate_quantile, place.date_quantile],
    },
    index=["rate since 6 December", "date, rate held"],
).round(2)

# %% [markdown]
# Its rate and its date are inside the posterior. What the sentence lacks is the interval, and the condition.

# %% [markdown]
# ## What the answer rests on
#
# Multiply all losses by a constant and all biases by its inverse: no claim can tell. So the level rests on what is assumed about
# the biases. Below, the model is fitted again with changed assumptions.


# %%
def row(other):
    date = at.depletion_date(other, at.hold())
    loss = np.quantile(other.posterior["cumulative_loss"].isel(day=-1), [0.05, 0.5, 0.95]).round(-1)
    return {
        "total, median": loss[1],
        "90% interval": f"{loss[0]:.0f} to {loss[2]:.0f}",
        "a day": np.median(at.rate_since(other)).round(0),
        "hold date, median": date.quantile_text(0.5),
        "P(by 15 April), hold": round(date.probability_by("2025-04-15"), 2),
    }


changes = {
    "adversaries overstate by 0.1 more (log)": {"bias_adversary": {"mean": 0.45}},
    "third parties overstate by 0.1": {"bias_third_party": {"mean": 0.1}},
    "nobody is biased on average": {"bias_adversary": {"mean": 0.0}, "bias_own_side": {"mean": 0.0}},
}
rows = {"as published": row(fit)}
for name, change in changes.items():
    rows[name] = row(at.refit(fit, priors=priors.override(change), progress=False))
study = at.default_priors(campaign, "study")
rows["biases from the published study alone"] = row(at.refit(fit, priors=study, progress=False))

pd.DataFrame.from_dict(rows, orient="index")

# %% [markdown]
# The same claims, read otherwise: what "over" says, how old undated figures are, what one briefing has in common.

# %%
readings = at.alternative_readings(fit, progress=False)
readings

# %% [markdown]
# And the record without each claim in turn: which single sentence moves the answer most?

# %%
influence = at.influence(fit, progress=False)
influence

# %% [markdown]
# ## What one could print

# %%
fig, ax = plt.subplots(figsize=(7.5, 4.5))
at.rate_figure(fit, ax=ax)
plt.show()

# %%
low, middle, high = np.quantile(rate, [0.05, 0.5, 0.95])
sentence = (
    f"From {len(fit.seen.claims)} public claims known by 16 January 2025, the model estimates {middle:.0f} North Korean soldiers "
    f"killed or wounded a day since 6 December (90% credible interval {low:.0f} to {high:.0f}). If that rate had held, the whole "
    f"contingent would have been killed or wounded around {held.quantile_text(0.5)} (90% interval {held.quantile_text(0.05)} to "
    f"{held.quantile_text(0.95)}); the probability of that by 15 April is {held.probability_by('2025-04-15'):.0%}, and "
    f"{forecast.probability_by('2025-04-15'):.0%} if the rate is let to fall back to what such forces sustain."
)
print(textwrap.fill(sentence, 96))

# %% [markdown]
# ## What happened
#
# The force left the front about the middle of January, came back in February and was reinforced; by February 2026 South Korea
# counted about 6,000 killed and wounded in all. A held rate is a condition, not a forecast: no claim public on 16 January could
# have shown the pause. The same model at five vintages, each with what was public by then:

# %%
rows = {}
for vintage in ["2024-12-23", "2025-01-16", "2025-02-28", "2025-04-30", "2026-02-13"]:
    known = at.refit(fit, record, campaign=campaign, known_by=vintage, progress=False)
    low, middle, high = np.quantile(known.posterior["cumulative_loss"].isel(day=-1), [0.05, 0.5, 0.95]).round(-1)
    dates = at.depletion_dates(known, at.forecast())
    rows[vintage] = {
        "killed and wounded (90%)": f"{middle:,.0f} ({low:,.0f} to {high:,.0f})",
        "a day": round(float(np.median(at.rate_since(known))), 1),
        "killed share": round(float(np.median(known.posterior["killed_share"])), 2),
        "strength": round(float(np.median(at.project(known, days=1).strength)), -1),
        "forecast, P within a year: gross": round(dates["gross"].probability_within_horizon, 2),
        "net": round(dates["net"].probability_within_horizon, 2),
        "gate passed": known.passed,
    }
pd.DataFrame.from_dict(rows, orient="index").rename_axis("vintage")
