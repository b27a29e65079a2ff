"""The author's program once more with JAX in NumPy's place, and what it holds copied into it."""

from __future__ import annotations

import copy
import types
from typing import Any

import numpy as np

from jaxnet.compare.reading import AUTHOR, JaxNumPy, Program, TracedFloat, countable
from jaxnet.compare.tracing import is_authors


def jax_program(program: Program, units: Any, folder: Any) -> Program:
    return Program(units, folder, JaxNumPy(), {"float": TracedFloat, "range": countable})


class Transplant:
    """Copies values into a program that runs under JAX: its functions, its classes, arrays as JAX arrays.

    `replace` maps ids of arrays to the traced values that take their place, wherever they are referred to.
    """

    def __init__(self, home: Program, away: Program, replace: dict[int, Any]) -> None:
        self._home, self._away = home, away
        self._memo: dict[int, Any] = dict(replace)
        self._kept: list[Any] = []

    def __call__(self, value: Any) -> Any:
        if id(value) in self._memo:
            return self._memo[id(value)]
        self._kept.append(value)
        new = self._copy(value)
        self._memo[id(value)] = new
        return new

    def _copy(self, value: Any) -> Any:
        import jax.numpy as jnp

        if isinstance(value, np.ndarray | np.floating):
            if isinstance(value, np.ndarray) and value.dtype == object:
                return [self(entry) for entry in value]
            return jnp.asarray(value, jnp.float64) if value.dtype.kind == "f" else value
        if isinstance(value, types.FunctionType):
            return self._function(value)
        if isinstance(value, types.MethodType):
            return types.MethodType(self(value.__func__), self(value.__self__))
        if isinstance(value, types.CellType):
            return types.CellType(self(value.cell_contents))
        if isinstance(value, np.ufunc):
            return getattr(self._away.numpy, value.__name__)
        if isinstance(value, np.vectorize):
            return self._away.numpy.vectorize(self(value.pyfunc))
        if isinstance(value, type):
            return self._away.names.get(value.__name__, value) if value.__module__ == AUTHOR else value
        if is_authors(value):
            new = object.__new__(self._away.names[type(value).__name__])
            self._memo[id(value)] = new
            vars(new).update({name: self(part) for name, part in vars(value).items()})
            return new
        if isinstance(value, dict):
            new = copy.copy(value)
            self._memo[id(value)] = new
            new.update({key: self(part) for key, part in value.items()})
            return new
        if isinstance(value, list):
            new = []
            self._memo[id(value)] = new
            new.extend(self(part) for part in value)
            return new
        if isinstance(value, tuple):
            parts = [self(part) for part in value]
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        return value

    def _function(self, value: types.FunctionType) -> Any:
        if value.__globals__.get("__name__") != AUTHOR:
            found = getattr(np, value.__name__, None)
            return getattr(self._away.numpy, value.__name__) if found is value else value
        away = self._away.names
        for name, names in self._home.modules.items():
            if value.__globals__.get("__file__") == names.get("__file__"):
                away = self._away.modules.get(name, away)
        closure = tuple(map(self, value.__closure__)) if value.__closure__ else None
        defaults = self(value.__defaults__) if value.__defaults__ else None
        new = types.FunctionType(value.__code__, away, value.__name__, defaults, closure)
        new.__kwdefaults__ = value.__kwdefaults__
        return new
