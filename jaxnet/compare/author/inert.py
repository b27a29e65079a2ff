"""What does nothing, and does it well: plots, progress bars, loggers, and whatever else is not installed.

An `Inert` stands for any function, class, object or number of such a library. It can be called, iterated over,
unpacked into as many parts as the program asks for, entered, compared, added, printed, derived from.
"""

from __future__ import annotations

import dis
import sys
import types
from collections.abc import Iterator
from typing import Any


class Inert:
    """Any attribute or call of it is inert; as a decorator it returns what it decorates."""

    __array_ufunc__ = None  # with an array it gives an inert thing, and not an array of objects

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)  # so that nobody takes it for an array, a path or a number
        return Inert()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        decorated = len(arguments) == 1 and not named and isinstance(arguments[0], types.FunctionType | type)
        return arguments[0] if decorated else Inert()

    def __iter__(self) -> Iterator[Any]:
        return iter([Inert() for _ in range(_parts_wanted(sys._getframe(1)))])

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()

    def __instancecheck__(self, instance: Any) -> bool:
        return False

    def __getitem__(self, key: Any) -> Inert:
        return self

    def __enter__(self) -> Inert:
        return self

    def __exit__(self, *error: Any) -> None:
        return None

    def __setitem__(self, key: Any, value: Any) -> None:
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

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


def _itself(self: Inert, *_: Any) -> Inert:
    return self


def _false(self: Inert, *_: Any) -> bool:
    return False


_BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift")
for _name in _BINARY:
    setattr(Inert, f"__{_name}__", _itself)
    setattr(Inert, f"__r{_name}__", _itself)
for _name in ["neg", "pos", "abs", "invert"]:
    setattr(Inert, f"__{_name}__", _itself)
for _name in ["lt", "le", "gt", "ge", "contains"]:
    setattr(Inert, f"__{_name}__", _false)


def _parts_wanted(frame: types.FrameType) -> int:
    """How many parts the instruction that a frame is at unpacks something into; 0 where it does something else."""
    code = frame.f_code.co_code
    operation, argument = dis.opname[code[frame.f_lasti]], code[frame.f_lasti + 1]
    return argument if operation in ("UNPACK_SEQUENCE", "UNPACK_EX") else 0


class Progress(Inert):
    """A progress bar: it runs over what it is given."""

    def __init__(self, over: Any = (), *_: Any, **__: Any) -> None:
        self.over = over

    def __iter__(self) -> Iterator[Any]:
        return iter(self.over)

    def __len__(self) -> int:
        return len(self.over)

    def __bool__(self) -> bool:
        return True


KNOWN: dict[str, Any] = {  # attributes that do something, whatever the module
    **dict.fromkeys(["tqdm", "tqdm_notebook", "track", "progress_bar", "progressbar", "alive_it"], Progress),
    **dict.fromkeys(["trange", "tnrange"], lambda *stop, **_: Progress(range(*stop))),
    "prange": range,
}


class InertModule(types.ModuleType):
    """A module with the given attributes, in which all others are inert; `exported` are the names for `*`."""

    def __init__(self, name: str, attributes: dict[str, Any], exported: list[str]) -> None:
        super().__init__(name)
        self.__path__ = []  # it passes for a package: anything can be imported from it
        self.__dict__.update(attributes)
        self.__all__ = [*attributes, *exported]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return KNOWN.get(name) or Inert()
