"""What a user added to a built-in PyMC model: free variables, observed ones and potentials.

The invariant protected here: built-in and added factors are together all factors of the user's model, and the built-in ones are
the very variables that ``build_model`` made. Where one of them was replaced, the model is taken as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pymc as pm

NOTED = "attrition_built"  # attribute of a model; copies of a model do not have it
NOTHING = "nothing"  # name of the zero through which every parameter has a slope


@dataclass(frozen=True, eq=False)
class BuiltIn:
    """What ``build_model`` made.

    Attributes
    ----------
    key
        What the graph depends on, from ``build.graph_key``.
    factors
        Free and observed variables, each with its value variable and its transform.
    """

    key: str
    factors: tuple[tuple[Any, Any, Any], ...]


def factors(model: pm.Model) -> list[Any]:
    """Variables whose log densities add up to the model's: free, observed, potentials."""
    return [*model.free_RVs, *model.observed_RVs, *model.potentials]


def _told(model: pm.Model, factor: Any) -> tuple[Any, Any, Any]:
    return factor, model.rvs_to_values[factor], model.rvs_to_transforms[factor]


def note_built(model: pm.Model, key: str) -> None:
    """Note on a model that all of its factors are built in."""
    setattr(model, NOTED, BuiltIn(key, tuple(_told(model, factor) for factor in factors(model))))


def added(model: pm.Model, key: str) -> list[Any]:
    """Factors that a user added to a model from ``build_model``.

    Parameters
    ----------
    model
        The user's.
    key
        Of the graph that it should extend.

    Returns
    -------
    list
        None where nothing was added; nor where the model is not one from ``build_model`` with these arguments, or lacks one of
        the factors that this made.
    """
    built = getattr(model, NOTED, None)
    if not isinstance(built, BuiltIn) or built.key != key:
        return []
    here = factors(model)
    for factor, value, transform in built.factors:
        if factor not in here or model.rvs_to_values[factor] is not value:
            return []
        if model.rvs_to_transforms[factor] is not transform:
            return []
    known = {factor for factor, _, _ in built.factors}
    return [factor for factor in here if factor not in known]


@contextmanager
def only(model: pm.Model, some: Sequence[Any]) -> Iterator[frozenset[str]]:
    """While this lasts, the model's log density is that of some of its factors, and has a slope in every parameter.

    Yields
    ------
    frozenset of str
        Names of the free variables that these factors depend on.
    """
    import pytensor
    from pytensor.graph.traversal import ancestors

    nothing = pytensor.shared(
        np.array(0.0), name=NOTHING
    )  # a constant would be simplified away, and the slopes with it
    names = {model.rvs_to_values[variable]: variable.name for variable in model.free_RVs}
    whole, own = model.logp, vars(model).get("logp")

    def logp() -> Any:
        return whole(vars=list(some)) + nothing * sum(value.sum() for value in names)

    reached = frozenset(names[one] for one in ancestors([whole(vars=list(some))]) if one in names)
    model.logp = logp
    try:
        yield reached
    finally:
        del model.logp
        if own is not None:
            model.logp = own
