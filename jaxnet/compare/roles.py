"""Which functions of a file are its initialiser, forward and backward pass and loss: by names, arguments, returns."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from jaxnet.compare import names
from jaxnet.compare.functions import Callee, File, listed, names_used, return_names


class Plan(NamedTuple):
    """Functions that could be the forward and the backward pass of one network."""

    owner: str | None  # a class to be built first
    init: Callee | None
    forward: Callee
    backward: Callee


def plans(path: Path, file: File, flags: dict[str, str | None]) -> list[Plan]:
    """Pairs of functions by name, the surest first."""
    everything = [c for c in file.callees.values() if not c.short.startswith("__") or c.short == "__call__"]
    backwards = _chosen(file, flags["backward"]) or _ranked(file, everything, _backward_rank)
    forwards = _chosen(file, flags["forward"]) or _ranked(file, everything, _forward_rank)
    if not backwards:
        raise ValueError(
            f"{path}: no backward function: looked for a name such as backward, back_prop, gradients, train_step; "
            f"found: {listed(file)}; name it with --backward"
        )
    if not forwards:
        raise ValueError(
            f"{path}: no forward function: looked for a name such as forward, forward_prop, feedforward, predict; "
            f"found: {listed(file)}; name it with --forward"
        )
    plans = []
    for f, b in sorted(itertools.product(forwards[:6], backwards[:6]), key=lambda pair: _pair_rank(file, *pair)):
        owner = f.owner or b.owner
        if f.owner and b.owner and f.owner != b.owner:
            continue
        if flags["init"] and flags["init"] not in file.classes:
            inits: list[Callee | None] = [file.callees[flags["init"]]]
        elif owner:
            inits = [None]
        else:
            named = [c for c in everything if c.owner is None and c not in (f, b) and names.is_init(c.name)]
            named = [c for c in named if not any(meant[:1] == ["Y"] for meant in _all_meanings(c))]
            inits = [*roots(file, sorted(named, key=lambda c: "init" not in c.name.lower()))[:3], None]
        plans += [Plan(owner, i, f, b) for i in inits]
    if not plans:
        raise ValueError(f"{path}: forward and backward are methods of different classes; found: {listed(file)}")
    return plans


def _all_meanings(callee: Callee) -> list[list[str]]:
    return [names.meanings(p.name, True) for p in callee.arguments]


def _chosen(file: File, name: str | None) -> list[Callee]:
    return [file.callees[name]] if name in file.callees else []


def _pair_rank(file: File, forward: Callee, backward: Callee) -> tuple:
    """Surest names first; no class that is but a part of another; rather a later class, and a class than functions."""
    order = list(file.classes)
    together = forward.owner == backward.owner
    part = any(forward.owner == name for name in _parts(file))
    place = -order.index(forward.owner) if forward.owner in order else 1
    return (not together, part, _backward_rank(backward) or 0, _forward_rank(forward) or 0, place)


def _parts(file: File) -> set[str]:
    """Classes that methods of another class make objects of, or that another is derived from: layers, for one."""
    used = {name for c in file.callees.values() for name in names_used(c) if c.owner and name != c.owner}
    bases = {base.__name__ for cls in file.classes.values() for base in cls.__mro__[1:]}
    return (used | bases) & set(file.classes)


def _forward_rank(callee: Callee) -> int | None:
    tier = names.forward_tier(callee.short)
    optional_targets = any(p.name in ("y", "Y", "t") and p.default is None for p in callee.arguments)
    if tier is None:  # scores where it is given no targets, as in CS231n
        return 3 if names.is_loss(callee.short) and optional_targets else None
    return 2 if any(meant[:1] == ["Y"] for meant in _all_meanings(callee)) else tier


def _backward_rank(callee: Callee) -> int | None:
    if any(_is_gradient(p.name) for p in callee.arguments):
        return None  # it takes gradients: an update
    tier = names.backward_tier(callee.short)
    if tier == 0:
        return 0
    returned = return_names(callee.node)
    gives_gradients = any(_is_gradient(name) for name in (returned if isinstance(returned, list) else [returned or ""]))
    if gives_gradients and names.may_compute_gradients(callee.short):
        return 1
    return 2 if tier == 1 else None


def _is_gradient(name: str) -> bool:
    read = names.read_name(name)
    return name.lower().strip("_") in ("grads", "gradients") or bool(read and read.gradient)


def _ranked(file: File, candidates: list[Callee], rank: Callable[[Callee], int | None]) -> list[Callee]:
    """By rank; within one, those that no other calls come first: linear_backward is but a part of backward."""
    ranks = {c.name: r for c in candidates if (r := rank(c)) is not None}
    found = []
    for tier in sorted(set(ranks.values())):
        found += roots(file, [c for c in candidates if ranks.get(c.name) == tier])
    return found


def roots(file: File, candidates: list[Callee]) -> list[Callee]:
    reached = {c.name: {r.name for r in file.reached(c)} - {c.name} for c in candidates}
    called = set().union(*reached.values()) if reached else set()
    return [c for c in candidates if c.name not in called] + [c for c in candidates if c.name in called]


def loss_candidates(file: File, plan: Plan) -> list[Callee]:
    """Functions called like a loss, those that the file calls first; none of several that are never called."""
    found = [c for c in file.callees.values() if names.is_loss(c.short) and c.owner in (None, plan.owner)]
    found = [c for c in found if c.name not in (plan.forward.name, plan.backward.name)] or found
    found.sort(key=lambda c: c.owner is None and plan.owner is not None)
    penalised = any(names.meanings(p.name, False)[:1] == ["penalty"] for p in plan.backward.arguments)
    found.sort(key=lambda c: penalised != any(names.meanings(p.name, False)[:1] == ["penalty"] for p in c.arguments))
    called = [c for c in found if file.sites(c)]
    return roots(file, called) if called else found if len(found) == 1 else []
