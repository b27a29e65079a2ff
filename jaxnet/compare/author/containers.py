"""Networks that are given their layers, their loss or their optimiser as objects, here made of the file's own classes:
`Network([Dense(7, 5), Tanh(), Dense(5, 3)], MSE())`. What they are shows in what is called of them and of their items.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from typing import Any

from jaxnet.compare.author.calls import File, Session, argument_meanings, kept_as, meant, nodes_of, parameters_of, tail
from jaxnet.compare.author.meanings import role
from jaxnet.compare.author.recorder import current_tape

ADDING = ("add", "add_layer", "append", "push", "addLayer")  # what a container calls it
_LOSS = re.compile("loss|cost|crit|error|objective", re.I)
_SQUARED = re.compile("mse|squared|l2", re.I)  # fits an output of a dense layer; what others fit, their authors know
_ANY = re.compile("")
_SLOPE = re.compile("tanh|sigm|logistic|elu", re.I)


def parts(session: Session, name: str, method: str = "__init__") -> dict[str, Any]:
    """The objects that a method of a class must be given, by argument."""
    made = {}
    required = (p.name for p in parameters_of(session.file.methods(name).get(method)) if p.default is p.empty)
    for argument in (of for of in required if of != "self"):
        of_object, of_items = _called_of(session.file, name, argument)
        if of_items and (layers := list(_stack(session, _with(session.file, name, of_items)))):
            made[argument] = layers
        elif of_object and (classes := _with(session.file, name, of_object)):
            wanted = _SQUARED if _LOSS.search(argument) else _SLOPE if "act" in argument.lower() else _ANY
            fitting = [c for c in classes if wanted.search(c.__name__)]
            made |= {argument: session.call(fitting[0], building=True)} if fitting else {}
    if made and (tape := current_tape()) is not None:
        tape.options |= {argument: _names_of(part) for argument, part in made.items()}
    return made


def fill(session: Session, container: Any) -> None:
    """Layers put into a container, one by one, and what it needs beside them: `net.add(Dense(7, 5)); net.add(ReLU());
    net.compile(MSE(), SGD())`."""
    name = type(container).__name__
    add = next((getattr(container, of) for of in ADDING if callable(getattr(container, of, None))), None)
    if add is None:
        return
    classes = _with(session.file, name, {})
    passes = [c for c in classes if {"forward", "backward"} <= {role(m) for m in session.file.methods(c.__name__)}]
    for layer in _stack(session, passes):
        add(layer)
    for method, function in session.file.methods(name).items():
        arguments = {p.name for p in parameters_of(getattr(container, method)) if p.default is p.empty}
        values = [n.value for n in nodes_of(function) if isinstance(n, ast.Assign)]
        keeps = arguments and arguments <= {tail(part) for value in values for part in ast.walk(value)}
        if keeps and method not in ("__init__", *ADDING):
            given = parts(session, name, method)
            if given.keys() == arguments:
                getattr(container, method)(**given)


def _stack(session: Session, classes: list[type]) -> Iterator[Any]:
    """Dense layers of the world's sizes, with an activation after each but the last."""
    dense = [c for c in classes if {"inputs", "outputs"} <= meant(c, True)]
    slopes = [c for c in classes if not argument_meanings(c, True) and "softmax" not in c.__name__.lower()]
    slopes.sort(key=lambda c: not _SLOPE.search(c.__name__))
    if dense and (tape := current_tape()) is not None:
        tape.put_together = True
    for sizes in itertools.pairwise(session.world.sizes) if dense else ():
        of_sizes = Session(session.file, session.np, session.world._replace(sizes=sizes))
        yield of_sizes.call(dense[0], building=True)
        if slopes and sizes[1] != session.world.sizes[-1]:
            yield session.call(slopes[0], building=True)


def _with(file: File, container: str, called: dict[str, int]) -> list[type]:
    """The classes that have these methods, of so many arguments, and that no other is derived from."""
    bases = {base for cls in file.all_classes.values() for base in cls.__mro__[1:]} | {file.all_classes[container]}
    methods = {cls: file.methods(name) for name, cls in file.all_classes.items() if cls not in bases}
    return [cls for cls, own in methods.items() if all(m in own and _takes(own[m], n) for m, n in called.items())]


def _takes(method: Any, count: int) -> bool:
    """Whether a method can be called with so many arguments beside its object."""
    own = parameters_of(method)[not isinstance(method, staticmethod) :]
    return sum(p.default is p.empty for p in own) <= count <= len(own)


def _called_of(file: File, name: str, argument: str) -> tuple[dict[str, int], dict[str, int]]:
    """The methods, among those of the file's classes, that a class calls of an argument that it keeps, and of its
    items, each with how many arguments: `self.loss.forward(p, y)`, `for layer in self.layers: layer.backward(g)`."""
    nodes = [n for method in file.methods(name).values() for n in nodes_of(method)]
    kept = kept_as(argument, nodes)
    loops = [n for n in nodes if isinstance(n, ast.For | ast.comprehension)]
    loops = [n for n in loops if any(tail(part) in kept for part in ast.walk(n.iter))]
    items = {tail(part) for n in loops for part in ast.walk(n.target)} - {""}
    known = {method for cls in file.all_classes for method in file.methods(cls)}
    of_object, of_items = {}, {}
    for n in nodes:
        match n:
            case ast.Call(func=ast.Attribute(value=of, attr=method)) if method in known:
                indexed = isinstance(of, ast.Subscript) and tail(of.value) in kept
                into = of_items if indexed or tail(of) in items else of_object if tail(of) in kept else {}
                into[method] = len(n.args) + len(n.keywords)
            case ast.Call(func=of) if tail(of) in kept and "__call__" in known:
                of_object["__call__"] = len(n.args) + len(n.keywords)
    return of_object, of_items


def _names_of(part: Any) -> str:
    """What was put in the place of an argument, to be told."""
    return ", ".join(_names_of(item) for item in part) if isinstance(part, list) else type(part).__name__
