"""A name for the structure of a PyMC model: what its compiled code depends on, never the values of its data.

The invariant protected here: two models with one name have the same machine code. Everything that enters is described by its
value, nothing by its address; what cannot be described in full raises ``NotDescribed``, and such a model has no name.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pymc as pm

# Classes and functions of these packages are described by where they stand: their versions enter the key of what is kept.
KNOWN = ("builtins", "numpy", "pymc", "pytensor")
UNTOLD = ("GradClip", "SpSum", "TrueDot", "DenseFromSparse")  # classes whose declared properties leave something out
PLAIN_KINDS = "biufcSU"
NUMBA_SETTINGS = (
    "OPT",
    "LOOP_VECTORIZE",
    "SLP_VECTORIZE",
    "BOUNDSCHECK",
    "ENABLE_AVX",
    "CPU_NAME",
    "CPU_FEATURES",
    "DEBUGINFO_DEFAULT",
    "DISABLE_JIT",
)


class NotDescribed(Exception):  # noqa: N818 - not an error: such a model is compiled in every process
    """A part of the graph is known by its address only."""


@dataclass(frozen=True)
class Structure:
    """Structure of a model.

    Attributes
    ----------
    digest
        SHA-256 of the description, in hexadecimal digits.
    shared
        Shared variables of the graph, in the order in which the description comes upon them.
    """

    digest: str
    shared: tuple[Any, ...]


def structure(model: pm.Model, expanded: Sequence[Any]) -> Structure:
    """Describe a model's log density, and what its draws are expanded to.

    Parameters
    ----------
    model
        The model, with whatever a user added.
    expanded
        Variables worked out of every draw, as graphs of the model's value variables.

    Returns
    -------
    Structure
        The same in every process for the same graph: types, constants, parameters of operations, names of variables.

    Raises
    ------
    NotDescribed
        If a part of it cannot be described in full: a Python function of the user's own, a loop, a source of random numbers.
    """
    free = [model.rvs_to_values[variable] for variable in model.free_RVs]
    graph = _Graph()
    for value in free:
        graph.known[value] = graph.said("free", value.name, value.type)
    outputs = [model.logp(), *expanded]
    parts: list[Any] = [graph.of(output) for output in outputs]
    parts += [(variable.name, model.named_vars_to_dims.get(variable.name)) for variable in model.free_RVs]
    parts += [(value.name, transformed_by(model, value)) for value in free]
    parts += [variable.name for variable in expanded]
    parts += [tuple(sorted(model.coords)), bool(model.check_bounds), _settings()]
    return Structure(_digest(tuple(parts)).hex(), tuple(graph.shared))


def transformed_by(model: pm.Model, value: Any) -> str:
    """Name of the transform of a value variable; what it does is in the graph."""
    transform = model.rvs_to_transforms.get(model.values_to_rvs[value])
    return "" if transform is None else type(transform).__qualname__


def _settings() -> tuple[Any, ...]:
    """Settings of the packages that change what they compile."""
    import numba
    import pytensor

    of_numba = tuple((name, str(getattr(numba.config, name, None))) for name in NUMBA_SETTINGS)
    config = pytensor.config
    names = ("optimizer", "optimizer_including", "optimizer_excluding", "optimizer_requiring", "numba__fastmath")
    return (config.get_config_hash(), tuple((name, str(getattr(config, name))) for name in names), of_numba)


class _Graph:
    """Digests of the variables of one graph; an operation's is made from the digests of what goes in."""

    def __init__(self) -> None:
        self.known: dict[Any, bytes] = {}
        self.ops: dict[int, tuple[Any, bytes]] = {}
        self.types: dict[Any, bytes] = {}
        self.shared: list[Any] = []

    def said(self, *parts: Any) -> bytes:
        """Number and description of one variable: the number tells apart two that are described alike."""
        return _digest((len(self.known), *parts))

    def of(self, output: Any) -> bytes:
        """Digest of a variable, after those of all that it depends on."""
        waiting = [output]
        while waiting:
            variable = waiting[-1]
            if variable in self.known:
                waiting.pop()
            elif variable.owner is None:
                self.known[variable] = self._root(waiting.pop())
            else:
                missing = [given for given in variable.owner.inputs if given not in self.known]
                if missing:
                    waiting.extend(reversed(missing))
                else:
                    self._node(variable.owner)
        return self.known[output]

    def _root(self, variable: Any) -> bytes:
        from pytensor.compile.sharedvalue import SharedVariable
        from pytensor.graph.basic import Constant

        if isinstance(variable, Constant):
            return _digest(("constant", variable.type, variable.data))
        if not isinstance(variable, SharedVariable) or variable.default_update is not None:
            raise NotDescribed(f"input {variable}")
        value = variable.get_value(borrow=True)
        if not isinstance(value, np.ndarray):
            raise NotDescribed(f"shared {type(value)}")
        self.shared.append(variable)
        return self.said("shared", variable.name, variable.type, value.dtype, value.ndim)

    def _type(self, kind: Any) -> bytes:
        if kind not in self.types:
            self.types[kind] = _digest(kind)
        return self.types[kind]

    def _node(self, node: Any) -> None:
        if id(node.op) not in self.ops:
            self.ops[id(node.op)] = node.op, _digest(node.op)  # the operation is held, so that its id stays its own
        inputs = tuple(self.known[given] for given in node.inputs)
        made = _digest((self.ops[id(node.op)][1], inputs, tuple(self._type(output.type) for output in node.outputs)))
        for place, output in enumerate(node.outputs):
            self.known[output] = _digest((made, place))


def _inside(inner: Any) -> tuple[bytes, ...]:
    """Digests of the outputs of an operation's own graph."""
    graph = _Graph()
    for given in inner.inputs:
        graph.known[given] = graph.said("inner", given.type)
    outputs = tuple(graph.of(output) for output in inner.outputs)
    if graph.shared:
        raise NotDescribed("shared data inside an operation")
    return outputs


def _digest(value: Any) -> bytes:
    return hashlib.sha256(b"".join(_said(value))).digest()


def _said(value: Any) -> Iterable[bytes]:
    """A value in bytes from which it could be told from any other; its kind comes first, then its length."""
    if value is None or isinstance(value, bool | int | str):
        yield _framed(type(value).__name__, repr(value).encode())
    elif isinstance(value, float | complex):
        number = complex(value)
        yield _framed(type(value).__name__, struct.pack("<dd", number.real, number.imag))
    elif isinstance(value, bytes):
        yield _framed("bytes", value)
    elif isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind not in PLAIN_KINDS:
            raise NotDescribed(f"array of {value.dtype}")
        about = repr((type(value).__name__, value.dtype.str, value.shape)).encode()
        yield _framed("array", _framed("about", about) + np.ascontiguousarray(value).tobytes())
    elif isinstance(value, tuple | list):
        yield _framed(type(value).__name__, b"".join(_digest(item) for item in value))
    elif isinstance(value, set | frozenset):
        yield _framed("set", b"".join(sorted(_digest(item) for item in value)))
    elif isinstance(value, Mapping):
        yield _framed("dict", b"".join(_digest(item) for item in value.items()))
    elif isinstance(value, slice):
        yield _framed("slice", _digest((value.start, value.stop, value.step)))
    elif isinstance(value, np.dtype):
        if value.kind not in PLAIN_KINDS:
            raise NotDescribed(f"dtype {value}")
        yield _framed("dtype", value.str.encode())
    elif isinstance(value, type | FunctionType | BuiltinFunctionType | np.ufunc):
        yield _framed("named", _place(value).encode())
    else:
        kind: Any = type(value)
        yield _framed("object", _digest(_place(kind)) + _digest(_state(value)))


def _framed(kind: str, content: bytes) -> bytes:
    return f"{kind} {len(content)}:".encode() + content


@functools.cache
def _place(thing: Any) -> str:
    """Where a class or function of a known package stands; it must be what stands there."""
    module = "numpy" if isinstance(thing, np.ufunc) else thing.__module__
    name = thing.__name__ if isinstance(thing, np.ufunc) else thing.__qualname__
    if module is None or module.split(".")[0] not in KNOWN:
        raise NotDescribed(f"{module}.{name}")
    found = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)  # type: ignore[assignment]
    if found is not thing:
        raise NotDescribed(f"{module}.{name}")
    return f"{module}.{name}"


def _state(thing: Any) -> tuple[Any, ...]:
    """What tells an operation, a type or a part of one from others of its class.

    Operations with a graph inside, but for those that build it themselves, are compared by more than they declare: they are
    not described. Loops are such.
    """
    from pytensor.compile.builders import SymbolicOp
    from pytensor.graph.op import HasMultipleInnerGraph, Op
    from pytensor.graph.type import Type
    from pytensor.scalar.basic import ScalarOp

    if type(thing).__name__ in UNTOLD:
        raise NotDescribed(f"{type(thing).__name__}, which declares less than it holds")
    declared = getattr(thing, "__props__", None)
    if isinstance(thing, SymbolicOp) and thing.pullback_overrides is thing.pushforward_overrides is None:
        own = tuple((name, getattr(thing, name)) for name in declared or ())
        return (own, thing.is_inline, thing.destroy_map, _inside(thing.fgraph))
    if isinstance(thing, HasMultipleInnerGraph):
        raise NotDescribed(f"{type(thing).__name__}, which has a graph inside")
    if declared is not None and isinstance(thing, Op | Type):
        own = tuple((name, getattr(thing, name)) for name in declared)
        replaced = tuple(
            name for name in vars(thing) if name not in declared and callable(getattr(type(thing), name, None))
        )
        if replaced:
            raise NotDescribed(f"{type(thing).__name__} with its own {replaced}")
        return own
    if isinstance(thing, Op) and not isinstance(thing, ScalarOp):
        raise NotDescribed(f"{type(thing).__name__}, which declares nothing")
    if isinstance(thing, Op | Type) or type(thing).__module__.startswith("pytensor.scalar"):
        return tuple((name, item) for name, item in sorted(vars(thing).items()) if name != "name")
    raise NotDescribed(f"{type(thing)}")
