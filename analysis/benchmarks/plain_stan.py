"""The January problem in Stan (pystan): the same model and priors; with --shifted, in this package's parametrisation.

Run: python plain_stan.py --data january.json --out draws.npz [--shifted]
The program is compiled once and kept by httpstan, in the user's cache folder. Fits that httpstan has kept are thrown away first: it
would answer the same seed from there, without sampling.
"""

from __future__ import annotations

import time

started = time.perf_counter()

import shutil
import subprocess
from pathlib import Path

import aiohttp
import httpstan.cache
import numpy as np
import stan
from program import Clock, arguments, published, read, write


def _patient(command, plain=subprocess.run, **options):
    """Run a command; httpstan gives its translator one second, and it takes that long for this program."""
    return plain(command, **(options | {"timeout": 120.0} if "timeout" in options else options))


subprocess.run = _patient
aiohttp.client.DEFAULT_TIMEOUT = aiohttp.ClientTimeout(total=None)  # five minutes for compiling and for sampling
given = arguments(__doc__)
clock = Clock(started)
clock.part("import")
data = read(given.data)
known = {name: value for name, value in data.items() if name not in ("vintage", "names", "speaks")}
known |= {"start": data["start"].astype(int), "sources": len(data["kind"]), "claims": len(data["source"])}
known |= {"shifted": int(given.shifted)}
known = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in known.items()}
program = Path(__file__).with_name("plain.stan").read_text(encoding="utf-8")
model = stan.build(program, data=known, random_seed=given.seed)
shutil.rmtree(httpstan.cache.model_directory(model.model_name) / "fits", ignore_errors=True)
clock.part("compile")
fit = model.sample(num_chains=4, num_warmup=given.draws, num_samples=given.draws, delta=given.accept)
clock.part("sample")


def of(name):
    """Draws (chain, draw, ...) of one name; pystan has them last, draws before chains."""
    values = fit[name]
    return np.moveaxis(values.reshape(*values.shape[:-1], given.draws, 4), (-1, -2), (0, 1))


total = of("total")
drawn = {name: of(name)[..., 0] for name in ("size", "share", "error")}
drawn |= {"total": total[..., -1], "total_before": total[..., -2], "total_then": total[..., data["onset"] + 1]}
drawn |= {name: of(name) for name in ("stance_bias", "source_bias")}
write(
    given.out,
    published(data, drawn),
    seconds=clock.seconds,
    divergences=int(fit["divergent__"].sum()),
    steps=float(fit["n_leapfrog__"].mean()),
    accept=given.accept,
    sampler="stan",
)
