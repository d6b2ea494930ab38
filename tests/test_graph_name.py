"""The name of a graph: the same for the same structure in every process, another after a change, none where it is not known."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import pytest

from attrition import graph_name
from attrition.graph_name import NotDescribed, structure
from own_models import small_model

CHANGES = {
    "a constant of a prior": {"prior": 4.0},
    "a constant in its last digit": {"prior": np.nextafter(3.0, 4.0)},
    "a distribution": {"family": "Laplace"},
    "a constant of a potential": {"strength": 0.25},
    "a sign": {"sign": 1.0},
    "the name of a variable": {"name": "nu"},
    "the name of data": {"data_name": "observed"},
    "the name of a dim": {"dim": "cluster"},
    "a parameter of an operation": {"axis": 1},
    "which data go where": {"swapped": True},
    "the order of a difference": {"turned": True},
    "the type of data": {"dtype": "int64"},
    "a transform": {"transformed": False},
    "a constant array": {"fixed": (0.1, 0.3)},
    "the shape of a constant array": {"fixed": (0.1, 0.2, 0.0)},
    "a new term": {"more": lambda mu: 0.0 * mu[0]},
    "an index": {"more": lambda mu: 0.0 * mu[1]},
    "a difference": {"more": lambda mu: mu[0] - mu[1]},
    "the same difference turned": {"more": lambda mu: mu[1] - mu[0]},
    "an integer for a float": {"more": lambda mu: mu[0] * np.int64(0)},
}


def named(**changes):
    model = small_model(**changes)
    free = {variable.name for variable in model.free_RVs}
    expanded = [v for v in model.unobserved_value_vars if v.name in free and v not in model.value_vars]
    return structure(model, expanded).digest


@pytest.fixture(scope="module")
def name():
    return named()


def test_every_change_gives_another_name(name):
    names = {change: named(**how) for change, how in CHANGES.items()}
    assert [change for change, other in names.items() if other == name] == []
    assert len(set(names.values())) == len(CHANGES)


def test_values_and_lengths_of_data_are_no_structure(name):
    assert named(values=(7.0, -2.0, 0.3)) == name
    assert named(values=(7.0,), weights=(1.0,)) == name


def test_the_same_model_has_one_name_in_every_process(name):
    code = "import test_graph_name; print(test_graph_name.named())"
    here = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=here, check=True)
    assert done.stdout.strip() == name


def test_settings_that_change_compiled_code_enter(name):
    with pytensor.config.change_flags(cxx=""):
        assert named() == name
    for where, setting, value in ((numba.config, "OPT", 1), (numba.config, "BOUNDSCHECK", 1)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(where, setting, value)
            assert named() != name


def as_op(mu):
    @pytensor.compile.ops.as_op(itypes=[pt.dvector], otypes=[pt.dscalar])
    def own(values):
        return np.asarray(values.sum())

    return own(mu)


class OwnOp(pytensor.graph.op.Op):
    __props__ = ()

    def make_node(self, x):
        return pytensor.graph.basic.Apply(self, [pt.as_tensor(x)], [pt.dscalar()])

    def perform(self, node, inputs, outputs):
        outputs[0][0] = np.asarray(inputs[0].sum())


def looped(mu):
    found = pytensor.scan(lambda x, before: before + x, sequences=[mu], outputs_info=[pt.constant(np.float64(0.0))])
    return (found if not isinstance(found, tuple) else found[0])[-1]


@pytest.mark.parametrize("more", [as_op, lambda mu: OwnOp()(mu), looped], ids=["function", "operation", "loop"])
def test_what_is_known_by_its_address_has_no_name(more):
    with pytest.raises(NotDescribed):
        named(more=more)


def test_an_operation_altered_by_hand_has_no_name(monkeypatch):
    altered = pt.sum(pt.dvector()).owner.op
    altered.perform = lambda *given: None
    with pytest.raises(NotDescribed):
        graph_name._digest(altered)


@pytest.mark.parametrize(
    "pair", [(0.0, -0.0), (1, 1.0), (1, True), ("1", 1), ((1,), [1]), (b"a", "a"), ((1, (2,)), (1, 2))]
)
def test_values_alike_are_told_apart(pair):
    assert graph_name._digest(pair[0]) != graph_name._digest(pair[1])


@pytest.mark.parametrize("value", [lambda: 0, object(), np.array([object()]), type("Own", (), {}), named])
def test_values_without_a_description(value):
    with pytest.raises(NotDescribed):
        graph_name._digest(value)


def test_a_model_with_constants_of_its_own_data():
    """Observed numbers that are no ``pm.Data`` are constants: other numbers are another structure."""

    def digest(seen):
        with pm.Model() as model:
            mu = pm.Normal("mu")
            pm.Normal("seen", mu, observed=seen)
        return structure(model, []).digest

    assert digest([1.0, 2.0]) == digest([1.0, 2.0]) != digest([1.0, 2.1])
