"""Whether an array is another one times a constant: gradients are compared up to one, and formulas known by theirs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

LARGE = 10_000  # entries, of which some are looked at before all
SAMPLE = 16  # of them along each axis, or up to twice as many
NOTHING = 1e-10  # a gradient as small as this, as a share of the largest one of the network, is 0


def without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape but for its axes of length 1: (n,) of (1, n)."""
    return tuple(n for n in shape if n != 1)


def in_shape(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """An array of as many entries, in a shape: turned, if it is a matrix of which that is the transpose's."""
    turned = array.ndim == 2 and array.shape != shape and array.T.shape == shape
    return (array.T if turned else array).reshape(shape)


def multiple(array: np.ndarray, of: np.ndarray, tolerance: float) -> float | None:
    """c ≠ 0 with array = c · of, to `tolerance` of the array's largest entry; None if there is none.

    c = Re⟨of, array⟩ / ⟨of, of⟩, that of least squares. Arrays of different shapes are no multiples.
    """
    if array.shape != of.shape or (array.size > LARGE and _differs_in_part(array, of, tolerance)):
        return None
    square, product = float(np.vdot(of, of).real), float(np.vdot(of, array).real)
    own = float(np.vdot(array, array).real)
    factor = product / square if square else 0.0
    # Entries that are all close leave no more than this of the square of the norm: quick to see, and most leave more.
    if own - factor * product > (array.size * tolerance**2 + 1e-9) * own:
        return None
    close = np.abs(array - factor * of).max(initial=0) <= tolerance * np.abs(array).max(initial=0)
    return factor if factor and close else None


def some_of(array: np.ndarray) -> np.ndarray:
    """Entries of a large array, by which much can be told of all of them; all of a small one."""
    if array.size <= LARGE:
        return array
    return array[tuple(slice(None, None, max(1, n // SAMPLE)) for n in array.shape)]


def _differs_in_part(array: np.ndarray, of: np.ndarray, tolerance: float) -> bool:
    """Whether some entries of a large array are enough to see that no constant brings all of them close."""
    part, other = some_of(array), some_of(of)
    square = float(np.vdot(other, other))
    rest = part - (float(np.vdot(other, part)) / square if square else 0.0) * other
    return float(np.vdot(rest, rest)) > part.size * (tolerance * max(array.max(), -array.min())) ** 2


def is_times(array: np.ndarray, constant: float, of: np.ndarray, tolerance: float) -> bool:
    """Whether each entry of an array is the other one's times a constant, to `tolerance` of it."""
    if array.shape != of.shape:
        return False
    pairs = [(some_of(array), some_of(of))] if array.size > LARGE else []
    with np.errstate(invalid="ignore"):
        return all(
            (np.abs(a - constant * b) <= tolerance * np.abs(constant * b)).all() for a, b in [*pairs, (array, of)]
        )


def is_among(number: float, others: Iterable[float], tolerance: float) -> bool:
    """Whether it is one of some numbers, to `tolerance` of each."""
    return any(abs(number - other) <= tolerance * abs(other) for other in others)


def common_multiple(arrays: list[np.ndarray], of: list[np.ndarray], tolerance: float) -> float | None:
    """The c of `multiple` that all pairs of arrays share, to `tolerance`; None if there is none."""
    factors = [multiple(array, other, tolerance) for array, other in zip(arrays, of, strict=True)]
    known = [factor for factor in factors if factor is not None]
    if not known or len(known) < len(factors):
        return None
    return known[0] if max(known) - min(known) <= tolerance * max(map(abs, known)) else None


def each_multiple(array: np.ndarray, of: np.ndarray, axis: int, tolerance: float) -> np.ndarray | None:
    """The number that each row, or column, of an array is another one's times; None if there are none."""
    squares = (of * of).sum(axis, keepdims=True)
    numbers = (array * of).sum(axis, keepdims=True) / np.where(squares, squares, 1)
    close = np.allclose(numbers * of, array, tolerance, tolerance * np.abs(array).max(initial=0))
    return numbers if close else None


def multiples_of_each(
    arrays: list[np.ndarray], of: list[list[np.ndarray]], tolerance: float
) -> tuple[float, ...] | None:
    """The numbers c, the same in all draws, with array = c₁ · first + c₂ · second + …, each in all draws. None if there
    are none."""
    found = []
    for array, others in zip(arrays, zip(*of, strict=True), strict=True):
        if any(other.shape != array.shape for other in others) or not np.isfinite(array).all():
            return None
        largest = tolerance * np.abs(array).max(initial=0)
        if array.size > LARGE:  # what brings all entries close leaves no more than this of some
            _, rest = _least_squares(some_of(array), [some_of(other) for other in others])
            if np.linalg.norm(rest) > math.sqrt(rest.size) * largest:
                return None
        numbers, rest = _least_squares(array, others)
        if np.abs(rest).max(initial=0) > largest:
            return None
        found.append(numbers)
    same = all(np.allclose(numbers, found[0], 1e-5, 0) for numbers in found)
    return tuple(map(float, found[0])) if found and same else None


def _least_squares(array: np.ndarray, others: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The c with the least of ‖array − c₁ · first − c₂ · second − …‖², and what they leave."""
    of = np.stack([other.ravel() for other in others], 1)
    numbers, *_ = np.linalg.lstsq(of, array.ravel(), rcond=None)
    return numbers, array.ravel() - of @ numbers


def with_penalty(
    arrays: list[np.ndarray], of: list[np.ndarray], parameters: list[np.ndarray], tolerance: float
) -> tuple[float, float] | None:
    """(c, λ) with array = c (other + λ p), the same in all draws, and λ > 0; None if there are none."""
    c, d = multiples_of_each(arrays, [of, parameters], tolerance) or (0.0, 0.0)
    return (c, d / c) if c and d / c > 0 else None
