"""What does nothing, and does it well: plots, progress bars, loggers, and whatever else is not installed.

An `Inert` stands for any function, class, object or number of such a library. It can be called, iterated over,
unpacked into as many parts as the program asks for, entered, compared, added, printed, derived from. Some attributes
are known: `known` gives them by the end of their path, as "datasets.mnist.load_data", whatever comes before it.
"""

from __future__ import annotations

import dis
import sys
import types
from collections.abc import Iterator
from typing import Any


class Inert:
    """Any attribute or call of it is inert or known; as a decorator it returns what it decorates, and what shuffles
    leaves the order as it is."""

    __array_ufunc__ = None  # with an array it gives an inert thing, and not an array of objects

    def __init__(self, path: str = "", known: dict[str, Any] | None = None) -> None:
        self._path, self._known = path, known or {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)  # so that nobody takes it for an array, a path or a number
        return attribute(f"{self._path}.{name}", self._known)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if len(arguments) == 1 and not named and isinstance(arguments[0], types.FunctionType):
            return arguments[0]
        if "shuffle" in self._path.rpartition(".")[2]:
            given = arguments if len(arguments) > 1 else next(iter((*arguments, *named.values())), ())
            return given if isinstance(given, list | tuple) else Inert(self._path, self._known)
        return Inert(self._path, self._known)

    def __iter__(self) -> Iterator[Any]:
        return iter([Inert() for _ in range(_parts_wanted(sys._getframe(1)))])

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass

    def __len__(self) -> int:
        return 0

    def __index__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def __str__(self) -> str:
        return ""

    def __format__(self, form: str) -> str:
        return ""


def _itself(self: Inert, *_: Any) -> Inert:
    return self


def _false(self: Inert, *_: Any) -> bool:
    return False


_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
for _name in (*_BINARY, *(f"r{name}" for name in _BINARY), "neg", "pos", "abs", "invert", "getitem", "enter"):
    setattr(Inert, f"__{_name}__", _itself)
for _name in ("lt", "le", "gt", "ge", "contains", "instancecheck"):
    setattr(Inert, f"__{_name}__", _false)


def attribute(path: str, known: dict[str, Any]) -> Any:
    """What is known under the longest end of a path, or an inert thing."""
    parts = path.split(".")
    ends = (".".join(parts[k:]) for k in range(len(parts)))
    found = next((end for end in ends if end in known), None)
    return Inert(path, known) if found is None else known[found]  # np.newaxis is None


def _parts_wanted(frame: types.FrameType) -> int:
    """How many parts the instruction that a frame is at unpacks something into; 0 where it does something else."""
    code, at = frame.f_code.co_code, frame.f_lasti
    operation, argument = dis.opname[code[at]], code[at + 1]
    if operation == "UNPACK_EX":  # a, *b, c = …: one for each, those after the star stand in the argument's high byte
        extended = at > 1 and dis.opname[code[at - 2]] == "EXTENDED_ARG"
        return argument + (code[at - 1] if extended else 0) + 1
    return argument if operation == "UNPACK_SEQUENCE" else 0


class Progress(Inert):
    """A progress bar: it runs over what it is given."""

    def __init__(self, over: Any = (), *_: Any, **__: Any) -> None:
        super().__init__()
        self.over, self.n = over, 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.over)

    def update(self, n: int = 1) -> None:
        self.n += n

    def __len__(self) -> int:
        return len(self.over)

    @staticmethod
    def write(*_: Any, **__: Any) -> None:
        pass


PROGRESS = {
    **dict.fromkeys(["tqdm", "tqdm_notebook", "track", "progress_bar", "progressbar", "alive_it"], Progress),
    **dict.fromkeys(["trange", "tnrange"], lambda *stop, **_: Progress(range(*stop))),
    "prange": range,
}


class InertModule(types.ModuleType):
    """A module whose attributes are inert or known; `exported` are the names that `import *` gives."""

    def __init__(self, name: str, path: str, known: dict[str, Any], exported: list[str]) -> None:
        super().__init__(name)
        self.__path__ = []  # it passes for a package: anything can be imported from it
        self.__all__ = exported
        self._path, self._known = path, known

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return attribute(f"{self._path}.{name}", self._known)
