"""Lone losses: a value and a derivative of a prediction and labels, in a class, in two functions, or in one.

The prediction is stepped down the loss, so that the derivative is compared as a gradient is.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import numpy

from jaxnet.compare.author.calls import (
    COUNT,
    File,
    Session,
    Unfillable,
    World,
    argument_meanings,
    find_role,
    meant,
    return_names,
)
from jaxnet.compare.author.meanings import gradient_of, role, squeezed
from jaxnet.compare.author.names import names_in
from jaxnet.compare.author.recorder import current_tape, off_the_record

Shape = tuple[int, ...]


def pairs(file: File, used: bool = False) -> Iterator[tuple[str, str]]:
    """linear_forward and linear_backward, relu and relu_derivative: functions that nothing else in the file uses; or
    those that are `used`."""
    for backward in find_role(file.functions, "backward"):
        stem = squeezed(backward)
        for word in ("backward", "backprop", "back", "derivative", "deriv", "gradient", "grad", "prime"):
            stem = stem.replace(word, "")
        for forward in file.functions:
            same = squeezed(forward).replace("forward", "") in (stem, stem.removeprefix("d"))
            if same and forward != backward and used == bool(file.used(forward, backward) or file.used(backward)):
                yield forward, backward


def losses(file: File) -> Iterator[tuple[str | None, str, str]]:
    """Classes of a loss of a prediction and labels, with the methods for its value and for its derivative; functions
    for these; and functions that give both."""
    for name in file.classes:
        methods = file.methods(name)
        values = [n for n, f in methods.items() if role(n) in ("loss", "forward") and takes_labels(f)]
        slopes = find_role(methods, "backward").items()
        slopes = [n for n, f in slopes if takes_labels(f) or not argument_meanings(f)]
        if values and slopes:
            yield name, values[0], slopes[0]
    for value, slope in pairs(file):
        if takes_labels(file.functions[value]) and takes_labels(file.functions[slope]):
            yield None, value, slope
    for name, function in find_role(file.functions, "loss").items():
        returned = [names for names in return_names(function) if isinstance(names, list)]
        gives_both = any(gradient_of(word) for names in returned for word in names)
        if gives_both and len(argument_meanings(function)) == 2 and takes_labels(function):
            yield None, name, name


def takes_labels(function: Any) -> bool:
    return "Y" in meant(function) and len(argument_meanings(function)) > 1


def play_loss(file: File, np: types.ModuleType, names: tuple[str | None, str, str], shape: Shape, strict: bool) -> None:
    """Steps a prediction down its loss. Predictions and labels lie between 0 and 1; labels are classes where rows of
    them do not fit."""
    session, draws = Session(file, np, World((5, 5), "rows")), numpy.random.default_rng(13)
    owner, value, slope = names
    loss = session.call(file.classes[owner], building=True) if owner else None
    both = [file.functions[n] if loss is None else getattr(loss, n) for n in dict.fromkeys((value, slope))]
    prediction = np.array(draws.uniform(0.2, 0.8, size=shape))
    several = len(shape) == 2 and shape[-1] > 1
    classes = draws.integers(0, shape[-1], size=shape[0])
    session.data["Y"] = np.eye(shape[-1])[classes] if several else np.array(draws.integers(0, 2, shape) * 1.0)

    def derivative() -> Any:
        session.data |= dict.fromkeys(("P", "X", "cache"), prediction)
        result: Any = None
        for function in both:
            means = argument_meanings(function)
            given = [name for name, of in means.items() if not of or of[0] in ("P", "X")]
            if (tape := current_tape()) is not None:
                names_in(dict.fromkeys(given[:1], prediction), tape.names)
            result = session.call(function, **{name: prediction for name in given if not means[name]})
        parts = result if isinstance(result, tuple) else (result,)
        found = (part for part in parts if numpy.shape(part) == numpy.shape(prediction))
        if (array := next(found, None)) is None:
            raise Unfillable("the derivative has another shape")
        return array

    if several:
        with off_the_record():
            try:
                derivative()
            except IndexError:
                session.data["Y"] = np.array(classes)
    for _ in range(COUNT):
        prediction = prediction - derivative() / 16  # so small that it stays between 0 and 1
