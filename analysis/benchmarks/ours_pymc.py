"""The January problem as this package's own PyMC model (``at.build_model``), compiled and sampled by nutpie.

Run: python ours_pymc.py --data january.json --out draws.npz --accept 0.95
"""

from __future__ import annotations

import time

started = time.perf_counter()

import nutpie
import pymc  # noqa: F401
from program import Clock, arguments, published, read, write

import attrition as at

given = arguments(__doc__)
clock = Clock(started)
clock.part("import")
data = read(given.data)
campaign = at.load_campaign("dprk-kursk").known_by(data["vintage"])
model = at.build_model(at.load_claims("dprk-kursk").known_by(data["vintage"]), campaign)
sources = list(model.coords["source"])
clock.part("build")
wanted = ["cumulative_loss", "contingent_size", "killed_share_start", "claim_error", "stance_bias", "source_bias"]
names = [variable.name for variable in model.free_RVs]
compiled = nutpie.compile_pymc_model(model, var_names=list(dict.fromkeys([*names, *wanted])))
clock.part("compile")
trace = nutpie.sample(
    compiled,
    draws=given.draws,
    tune=given.draws,
    chains=4,
    seed=given.seed,
    target_accept=given.accept,
    progress_bar=False,
)
clock.part("sample")
posterior = {name: trace["posterior"][name].values for name in wanted}
total = posterior["cumulative_loss"]
drawn = {
    "total": total[..., -1],
    "total_then": total[..., data["onset"]],
    "total_before": total[..., -2],
    "size": posterior["contingent_size"],
    "share": posterior["killed_share_start"],
    "error": posterior["claim_error"],
    "stance_bias": posterior["stance_bias"],
    "source_bias": posterior["source_bias"][..., [sources.index(name) for name in data["names"]]],
}
write(
    given.out,
    published(data, drawn),
    seconds=clock.seconds,
    divergences=int(trace["sample_stats"]["diverging"].sum()),
    steps=float(trace["sample_stats"]["n_steps"].mean()),
    accept=given.accept,
    sampler="nutpie",
)
