"""From claims to a fit: lay the model out, sample, pass the gate; and refit with other data."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import time
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from .build import build_model, coordinates, graph_key, one_vintage
from .campaign import Campaign
from .checks.convergence import convergence
from .claims import Claims
from .containers import containers
from .curves import Curve, default_curve
from .drawing import draw
from .errors import InputError, Problem
from .fitted import Fit, label
from .kernel.forms import form_of
from .latent import latent, latent_of_draws, lookup
from .observations import Observations, observe
from .priors import Priors, default_priors
from .reporting import Reporting
from .sampling import Compiled, Settings, compile_model

if TYPE_CHECKING:
    import pymc as pm

log = logging.getLogger("attrition")

ESCALATED = 0.995
PACKAGES = ("attrition", "pymc", "pytensor", "nutpie", "numba", "arviz", "numpy", "xarray")


def fit(
    claims: Claims,
    campaign: Campaign,
    priors: Priors | None = None,
    *,
    seed: int,
    known_by: dt.date | str | None = None,
    curve: Curve | None = None,
    reporting: Reporting | None = None,
    settings: Settings | None = None,
    model: pm.Model | None = None,
    compiled: Compiled | None = None,
    progress: bool | None = None,
) -> Fit:
    """Infer the losses of a contingent from claims about it.

    Parameters
    ----------
    claims
        Public statements.
    campaign
        What is being depleted.
    priors
        By default ``default_priors(campaign)``.
    seed
        One number from which every random draw follows: the chains' starting points and moves, and the draws of parameters
        that no claim informs. With the same settings, versions and processor the same seed gives the same bytes, on any
        number of cores.
    known_by
        Vintage: use only claims and phases public by this date.
    curve, reporting
        Form of the rate and of the reporting model.
    settings
        Of the sampler: draws, tuning steps, chains, target acceptance.
    model
        A model from ``build_model`` with the same arguments that you have extended: free variables, observed ones, potentials.
        Only what you added is compiled by PyMC; a copy, or one of which you changed a built-in part, is compiled as a whole,
        and one that lacks a built-in variable is refused. Chains start where this package has built-in parameters start,
        whatever initial values the model has for them.
    compiled
        Of an earlier fit of a model or a curve of your own (``fit.compiled``): used again if the graph is the same, so that
        nothing is compiled. Built-in models have none: their compiled code is the same for every record, and is kept.
    progress
        False for silence; by default a bar in a terminal, one cell in a notebook, lines of text elsewhere.

    Returns
    -------
    Fit
        With ``gate`` saying whether R-hat < 1.01, ESS >= 400 for every published quantity, and no divergences. If the gate
        fails, sampling is repeated once with a target acceptance of 0.995 and the gate says so.

    Raises
    ------
    InputError
        If the claims, the campaign or the priors cannot be used, or do not belong together.
    """
    if known_by is not None:
        claims = claims.known_by(known_by)
    claims, campaign = one_vintage(claims, campaign)
    priors = priors or default_priors(campaign)
    curve = curve or default_curve(campaign)
    reporting = reporting or Reporting()
    settings = settings or Settings()
    own = model is not None or (compiled is not None and compiled.extended) or form_of(curve) is None
    room = compiled.rooms if compiled is not None and own else None
    seen = observe(claims, campaign, reporting, room, curve.zero_until(campaign), exact=not own)
    arrays = containers(seen, campaign, priors, curve, reporting)
    if model is not None and form_of(curve) is not None:
        _check_free(model, arrays, seen, campaign, priors, curve, reporting)
    compiled = (
        _own_compiled(claims, campaign, priors, curve, reporting, seen, model, compiled, progress) if own else None
    )
    unfinished = Fit(
        _no_draws(),
        claims,
        campaign,
        priors,
        curve,
        reporting,
        seen,
        settings,
        seed,
        versions=dict(_versions()),
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        extended=compiled is not None and compiled.extended,
        compiled=compiled,
    )
    done = _sampled(unfinished, arrays, settings, progress)
    if not done.passed and done.gate["target_accept"] < ESCALATED:
        first = done.gate["sentence"]
        log.warning("The convergence gate failed (%s); sampling again with target acceptance %s", first, ESCALATED)
        again = dataclasses.replace(settings, target_accept=ESCALATED)
        done = _sampled(unfinished, arrays, again, progress)
        done.gate["escalated"] = f"sampled again at target acceptance {ESCALATED} because: {first}"
    return done


def refit(
    before: Fit,
    claims: Claims | None = None,
    *,
    priors: Priors | None = None,
    known_by: dt.date | str | None = None,
    campaign: Campaign | None = None,
    seed: int | None = None,
    settings: Settings | None = None,
    progress: bool | None = None,
) -> Fit:
    """Fit again with other claims, priors or another vintage.

    Whatever is not given is taken from the earlier fit. Nothing is compiled; only a curve of your own is compiled again if a
    size differs (more sources than it has room for, another calendar).

    Parameters
    ----------
    before
        The earlier fit, of this session or loaded.
    claims, priors, known_by, seed, settings, progress
        As in ``fit``. After an escalation the default is again the usual target acceptance.
    campaign
        A later vintage needs the whole campaign again: the fit's own knows only the phases public by its vintage.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        As ``fit``; and for a saved fit of an extended model, whose extension is not saved.
    """
    if before.extended and before.compiled is None:
        problem = Problem(
            "refit", "", "fit", "a saved fit of an extended model", "the model", "Use fit(..., model=...)."
        )
        raise InputError("The extension is not saved with a fit", [problem])
    if settings is None and before.gate.get("escalated"):
        settings = dataclasses.replace(before.settings, target_accept=Settings.target_accept)
    return fit(
        before.claims if claims is None else claims,
        before.campaign if campaign is None else campaign,
        before.priors if priors is None else priors,
        seed=before.seed if seed is None else seed,
        known_by=known_by,
        curve=before.curve,
        reporting=before.reporting,
        settings=before.settings if settings is None else settings,
        compiled=before.compiled,
        progress=progress,
    )


def _check_free(
    model: pm.Model,
    arrays: dict[str, np.ndarray],
    seen: Observations,
    campaign: Campaign,
    priors: Priors,
    curve: Curve,
    reporting: Reporting,
) -> None:
    """Check that a user's model still draws every built-in parameter: what is published is worked out of them."""
    from .kernel.layout import lay_out

    sizes = {dim: len(names) for dim, names in coordinates(seen, campaign).items()}
    free = {variable.name for variable in model.free_RVs}
    do = "Hold a quantity by a prior instead: priors.override(...) with the family Fixed."
    problems = [
        Problem("model", "", parameter.name, "not a free variable", "the free variable that build_model makes", do)
        for parameter, _, _ in lay_out(arrays, sizes, priors, curve, reporting).parameters
        if parameter.name not in free
    ]
    if problems:
        raise InputError("The extended model lacks built-in variables", problems)


def _own_compiled(
    claims: Claims,
    campaign: Campaign,
    priors: Priors,
    curve: Curve,
    reporting: Reporting,
    seen: Observations,
    model: pm.Model | None,
    compiled: Compiled | None,
    progress: bool | None,
) -> Compiled:
    """A user's own model or curve, compiled by PyMC and nutpie, again only if the graph is another one."""
    key = graph_key(curve, reporting, priors, seen)
    if compiled is not None and compiled.extended and compiled.key != key and model is None:
        do = "Extend a model of the new sizes and pass it as model=."
        problem = Problem("refit", "", "model", "an extended model of other sizes", "the same sizes", do)
        raise InputError("The extension would be lost", [problem])
    if compiled is not None and model is None and compiled.key == key:
        return compiled
    room = compiled.rooms if compiled is not None else None
    built = model or build_model(claims, campaign, priors, curve=curve, reporting=reporting, room=room)
    return compile_model(built, key, seen.rooms, model is not None, form_of(curve) is not None, progress)


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    return tuple((name, version(name)) for name in PACKAGES)


def _no_draws() -> Any:
    import xarray as xr

    return xr.DataTree()


def _sampled(unfinished: Fit, arrays: dict[str, np.ndarray], settings: Settings, progress: bool | None) -> Fit:
    started = time.perf_counter()
    raw, stats = draw(unfinished, arrays, settings, progress)
    seconds = time.perf_counter() - started
    given = (arrays, unfinished.priors, unfinished.curve, unfinished.reporting)
    own = form_of(unfinished.curve) is None
    quantities = latent(lookup(raw), *given) if own else latent_of_draws(raw, *given)
    draws = label(raw, stats, quantities, arrays, unfinished.seen, unfinished.campaign)
    compiled = unfinished.compiled
    timings = {"compile": compiled.seconds if compiled is not None else 0.0, "sample": seconds}
    done = dataclasses.replace(unfinished, draws=draws, settings=settings, timings=timings)
    check = convergence(done)
    gate = {
        "passed": check.passed,
        "max_rhat": check.numbers["max_rhat"],
        "min_ess": check.numbers["min_ess"],
        "divergences": int(check.numbers["divergences"]),
        "target_accept": settings.target_accept,
        "escalated": "",
        "sentence": check.sentence,
    }
    return dataclasses.replace(done, gate=gate)
