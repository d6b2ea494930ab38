"""Small fits to save, and code to run on them in a process of its own."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import attrition as at
from attrition.fitted import Fit
from drawings import make

ROOT = Path(at.__file__).parent

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # so that a process may be forked
SMALL = """
import os, random, signal, sys, time, resource
from pathlib import Path
import attrition as at
from drawings import make
claims = at.load_claims("dprk-kursk").known_by("2024-12-20")
fits = [make(claims, chains=1, draws=2, seed=n) for n in range(3)]
"""


def small(seed: int = 1) -> Fit:
    return make(at.load_claims("dprk-kursk").known_by("2024-12-20"), chains=1, draws=2, seed=seed)


def script(code: str, *given: object, timeout: float = 300) -> list[str]:
    """Run code in a process of its own; what it prints, once it has ended well."""
    text = SMALL + textwrap.dedent(code)
    place = os.pathsep.join((str(Path(__file__).parent), str(ROOT.parent)))
    done = subprocess.run(
        [sys.executable, "-c", text, *map(str, given)],
        capture_output=True, text=True, timeout=timeout, check=False, env=os.environ | ONE_THREAD | {"PYTHONPATH": place},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.split()


def thinned(fit: Fit, draws: int) -> Fit:
    """The fit with the first so many draws of each chain."""
    groups = {}
    for name in fit.draws.children:
        group = fit.draws[name].to_dataset()
        groups[name] = group.isel(draw=slice(draws)) if "draw" in group.dims else group
    settings = dataclasses.replace(fit.settings, draws=draws)
    return dataclasses.replace(fit, draws=type(fit.draws).from_dict(groups), settings=settings, compiled=None)
