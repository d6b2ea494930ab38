"""The January problem by this package, in one process: draws for the comparison, and the seconds of its parts.

Run: python ours.py --data january.json --out draws.npz
"""

from __future__ import annotations

import time

started = time.perf_counter()

from program import Clock, arguments, published, read, write

import attrition as at
from attrition.fitted import Fit

given = arguments(__doc__)
data = read(given.data)
claims, campaign = at.load_claims("dprk-kursk"), at.load_campaign("dprk-kursk")
clock = Clock(started)

from attrition.kernel.callbacks import callbacks

clock.part("import")
callbacks()
clock.part("compile")
settings = at.Settings(draws=given.draws, tune=given.draws)
fit: Fit = at.fit(claims, campaign, seed=given.seed, known_by=data["vintage"], settings=settings, progress=False)
clock.part("fit")
# a fit sampled again after a failed gate keeps the seconds of the second time only: then all of the fit counts
clock.seconds["sample"] = clock.seconds["fit"] if fit.gate["escalated"] else fit.timings["sample"]
total = fit.array("cumulative_loss")
named = fit.posterior["source"].values.tolist()
places = [named.index(name) for name in data["names"]]
drawn = {
    "total": total[..., -1],
    "total_then": total[..., data["onset"]],
    "total_before": total[..., -2],
    "size": fit.array("contingent_size"),
    "share": fit.array("killed_share"),
    "error": fit.array("claim_error"),
    "stance_bias": fit.array("stance_bias"),
    "source_bias": fit.array("source_bias")[..., places],
}
write(
    given.out,
    published(data, drawn),
    seconds=clock.seconds,
    divergences=fit.gate["divergences"],
    steps=float(fit.draws["sample_stats"]["n_steps"].mean()),
    accept=fit.gate["target_accept"],
    escalated=fit.gate["escalated"],
    sampler="attrition",
)
