"""Weight penalties: the λp in a gradient, in a step and in the derivative of the loss."""

from __future__ import annotations

import itertools
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.levels import RIGHT, Array, Level, differs, fit, true_gradients, up_to_formula
from jaxnet.compare.author.node import Node, ancestors, made_alone_of, made_of, whole_of
from jaxnet.compare.author.pullback import NO_USES, PullBack, Uses
from jaxnet.compare.author.raw import stepped
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.truth import Truth
from jaxnet.compare.author.updates import multiples
from jaxnet.compare.diagnosis import Finding
from jaxnet.compare.multiples import common_multiple, is_among, with_penalty, without_ones

FORGOTTEN = "left out"
ADDING, SCALING = (np.add, np.subtract, np.negative), (np.multiply, np.true_divide)
SEVERAL = 2  # numbers, of which no penalty is told by two draws


def with_implied_penalty(
    truth: Truth,
    fitted: dict[Parameter, list[Level]],
    step: Step,
    drawn: list[Values],
    of_wrong: Mapping[Parameter, float] = types.MappingProxyType({}),
):
    """The truth with λ/2 Σp², or λ Σ|p|, for each parameter in whose gradient the derivative of that is: a loss that is
    inferred cannot deny it. One that is computed does, unless all weights have the same λ, but for those whose gradient
    is wrong in any case: then they are to decay, and it is computed without. The λ `of_wrong` ones count as well."""
    stated = truth.loss.node is not None
    if stated and _has_penalty(truth, step):
        return truth, fitted
    adjoints, levels_of = [dict(a) for a in truth.adjoints], dict(fitted)
    of: dict[Parameter, float] = {}
    first: dict[Parameter, tuple[float, float]] = {}  # (c, λ) of what is stepped by: c (true + λp)
    # A single number, or entry, is also another multiple of the true one in each draw: it has the λ that others have.
    # So has what has no gradient otherwise, of data that are 0.
    moved = {p: any(t.any() for t in true_gradients(p, truth)) for p in fitted}
    for p in sorted(fitted, key=lambda p: (not moved[p], -p.size)):
        levels = fitted[p]
        if any(level.factor is not None for level in levels):
            continue
        true = true_gradients(p, truth)
        possible = []
        for derivative, part in itertools.product((np.positive, np.sign), _parts(p.before.shape)):
            own = [part * derivative(np.asarray(values(p.before), float)) for values in drawn]
            if all(level.arrays[0].shape == p.before.shape for level in levels):  # rows that no example has picked
                own = [w * (a != 0) for w, a in zip(own, levels[0].arrays, strict=True)]
            if moved[p] and min(map(np.count_nonzero, own)) > 1:
                fits = [with_penalty(level.arrays, true, own, RIGHT) for level in levels]
            else:
                fits = [_with_one_of(of.values(), level.arrays, true, own) for level in levels]
            outermost = next((k for k, fit in enumerate(fits) if fit is not None), None)
            possible += [(outermost, fits, own)] if outermost is not None else []
        if possible:
            outermost, fits, own = min(possible, key=lambda found: found[0])
            found = first[p] = fits[outermost]
            of[p] = penalty = _that_others_have(found, first.values()) or found[1]
            fits = [fit if fit is not None and is_among(fit[1], [penalty], RIGHT) else None for fit in fits]
            levels_of[p] = [lv._replace(factor=fit and fit[0]) for lv, fit in zip(levels, fits, strict=True)]
            for of_draw, t, w in zip(adjoints, true, own, strict=True):
                of_draw[p.before] = t + penalty * w
    of_all = [p for p in fitted if len(without_ones(p.before.shape)) > 1] or [p for p in fitted if p.size > 1]
    known = {**of_wrong, **of}
    weights = [p for p in of_all if p in known or any(level.factor is not None for level in fitted[p])]
    enough = len(weights) > 1 or len(weights) == len(of_all) == 1
    shared = enough and all(p in known for p in weights) and _is_shared([known[p] for p in weights])
    if not of or (stated and not shared):
        return truth, fitted
    loss = truth.loss._replace(penalised={p.before: penalty for p, penalty in of.items()})
    return replace(truth, loss=loss, adjoints=adjoints), levels_of


def _parts(shape: tuple[int, ...]) -> Iterator[Array]:
    """Ones for the entries that a penalty may be of: all, or all but a row or a column for the biases, at an end."""
    yield np.ones(shape)
    for axis, end in itertools.product(range(len(shape)), (0, -1)):
        if shape[axis] > 1:
            part = np.ones(shape)
            part[(slice(None),) * axis + (end,)] = 0
            yield part


def _that_others_have(found: tuple[float, float], others: Iterable[tuple[float, float]]) -> float | None:
    """The λ of two others by which c (true + λp) has the same λp as this has, and another constant: of that gradient
    the rest is wrong. None if there are no such."""
    (c, penalty), known = found, list(others)
    for c0, penalty0 in known:
        same = abs(c * penalty - c0 * penalty0) <= RIGHT * abs(c * penalty)
        alike = [abs(c1 - c0) <= RIGHT * abs(c0) and _is_shared([penalty0, penalty1]) for c1, penalty1 in known]
        if same and abs(c - c0) > RIGHT * abs(c0) and sum(alike) > 1:
            return penalty0
    return None


def penalties_of_wrong(judged: Judged) -> dict[Parameter, float]:
    """The λ of what is added to gradients that are wrong for other reasons as well."""
    added = (f for f in judged.findings if f.code == "weight-penalty" and f.scale_name == "added")
    return {judged.names[f.at[1:]]: f.scale or 0.0 for f in added if f.at[1:] in judged.names}


def is_decay_of_all(finding: Finding, truth: Truth) -> bool:
    """Whether it is the penalty that others are granted."""
    decays = [finding.scale or 0.0, *truth.loss.penalised.values()]
    return finding.code == "weight-penalty" and len(decays) > 1 and _is_shared(decays)


def _is_shared(decays: list[float]) -> bool:
    return max(decays) - min(decays) <= RIGHT * max(decays)


def _has_penalty(truth: Truth, step: Step) -> bool:
    """Whether the loss has a part that is made of a parameter beside the forward pass."""
    forward = ancestors(example.prediction for example in step.examples)
    return any(penalties(p, truth, forward) for p in step.parameters)


def _with_one_of(known: Iterable[float], given: list[Array], true: list[Array], own: list[Array]):
    """(c, λ) of `with_penalty` with a λ that is known."""
    for penalty in known:
        factor = common_multiple(given, [t + penalty * w for t, w in zip(true, own, strict=True)], RIGHT)
        if factor is not None:
            return factor, penalty
    return None


def without_decay(truth: Truth, fitted: dict[Parameter, list[Level]], step: Step, drawn: list[Values]):
    """The truth without the penalty, or the part of it, of each parameter that is made smaller by itself as by a step
    down it: then the gradient need not have it."""
    forward = ancestors(example.prediction for example in step.examples)
    adjoints, decays = [dict(a) for a in truth.adjoints], []
    for p, levels in fitted.items():
        if p.size < 2 or any(level.factor is not None for level in levels):
            continue
        own = [np.asarray(values(p.before), float) for values in drawn]
        made = ((m, [w - np.asarray(Values({b: w})(m)).reshape(w.shape) for w in own]) for b, m in p.shrunk)
        for (node, taken), penalty in itertools.product(made, penalties(p, truth, forward)):
            if (common_multiple(taken, penalty, RIGHT) or 0) > 0:
                decays.append(node)
                for of_draw, part in zip(adjoints, penalty, strict=True):
                    of_draw[p.before] = of_draw[p.before] - part
                break
    if not decays:
        return truth, fitted
    truth = replace(truth, loss=truth.loss._replace(decay=decays[0]), adjoints=adjoints)
    return truth, fit(fitted, truth)


def with_decay_as_penalty(
    fitted: dict[Parameter, list[Level]], truth: Truth, step: Step
) -> dict[Parameter, list[Level]]:
    """What may be the gradients, of a loss with penalties: what is added to one where the step is made is that of its
    parameter, and no decay."""
    forward = ancestors(example.prediction for example in step.examples)
    counted = dict(fitted)
    for p, levels in fitted.items():
        decayed = [lv.candidate for lv in levels if lv.candidate is not None and lv.candidate.decayed]
        if decayed and all(lv.factor is None for lv in levels) and penalties(p, truth, forward):
            same = {c.node: c._replace(decayed=False, penalised=True) for c in decayed}
            own = [lv._replace(candidate=same.get(lv.node, lv.candidate)) if lv.node else lv for lv in levels]
            counted[p] = up_to_formula(own, p)
    return counted


def penalties(parameter: Parameter, truth: Truth, forward: set[Node]) -> list[list[Array]]:
    """What the loss's derivative has of the parameter beside the forward pass: all of it, and each part."""
    uses = {use: None for n, use in truth.parts[0] if n is parameter.before and use is not None and use not in forward}
    parts = [[np.asarray(of_draw[parameter.before, use], float) for of_draw in truth.parts] for use in uses]
    return [[np.sum(of_draw, axis=0) for of_draw in zip(*parts, strict=True)], *parts] if parts else []


def is_by_a_penalty(judged: Judged, name: str, scale: float) -> bool:
    """Whether a gradient differs from the true one by a number times the parameter, or the same entries of it, which no
    rounding does: a penalty of the bias's column, say."""
    difference = [np.ravel(g - scale * t) for g, t in zip(judged.given[name], judged.true[name], strict=True)]
    own = [np.ravel(values(judged.names[name].before)) for values in judged.drawn]
    (at,) = np.nonzero(np.any([np.abs(d) > RIGHT * np.abs(d).max() for d in difference], axis=0))
    if len(at) < SEVERAL:
        return False
    return common_multiple([d[at] for d in difference], [np.asarray(w[at], float) for w in own], RIGHT) is not None


def penalty_finding(judged: Judged, finding: Finding, scale: float) -> Finding | None:
    """The finding on a gradient that is the true one but for the λp that the loss has beside the forward pass: which it
    leaves out, or has with another λ."""
    name = finding.at[1:]
    if (p := judged.names.get(name)) is None:
        return None
    forward = ancestors(example.prediction for example in judged.step.examples)
    own = [np.asarray(values(p.before), float) for values in judged.drawn]
    for penalty in penalties(p, judged.truth, forward):
        there = [w * (part != 0) for w, part in zip(own, penalty, strict=True)]  # of all but the biases' column, say
        size = common_multiple(penalty, there, RIGHT)
        rest = [scale * (t - part) for t, part in zip(judged.true[name], penalty, strict=True)]
        if size and not differs(judged.given[name], rest, 1.0):
            return finding._replace(code="weight-penalty", scale=size, scale_name=FORGOTTEN)
        beside = [g - r for g, r in zip(judged.given[name], rest, strict=True)]
        if size and all(r.any() for r in rest) and (used := common_multiple(beside, there, RIGHT)):
            return finding._replace(code="weight-penalty", scale=used / scale, scale_name=f"in place of {size:.6g}")
    return None


def beside_another_scale(finding: Finding, scale: float) -> Finding:
    """A finding on a penalty that is the loss's, beside a gradient that is `scale` times the loss's, said as it is."""
    size = (finding.scale or 0.0) * scale
    if finding.code != "weight-penalty" or finding.scale_name != f"in place of {size:.6g}":
        return finding
    return finding._replace(scale=size, scale_name=f"what the loss has, and the rest is {scale:.6g} times its gradient")


def penalty_added(judged: Judged, name: str) -> Node | None:
    """Where a multiple of a parameter is added to its gradient, before the step."""
    parameter, gradient = judged.names[name], judged.chosen.get(name)
    way = ancestors([gradient], parameter.root.number) & judged.step.labelled if gradient is not None else set()
    sums = (n for n in way if n.function in (np.add, np.subtract))
    added = (n for n in sums if any(parameter.before in map(whole_of, multiples(term)) for term in n.parents))
    return max(added, key=lambda n: n.number, default=None)


def is_of_another_size(finding: Finding) -> bool:
    """Whether a gradient has a penalty, and another one than the loss: what it leaves out may be another step's."""
    return finding.code == "weight-penalty" and finding.scale_name != FORGOTTEN


def with_a_part(
    own: Mapping[Parameter, str], step: Step, number: Node, penalised: Uses, drawn: list[Values]
) -> str | None:
    """The first parameter that takes another part of its penalty than of the rest, if all take such parts."""
    pull = PullBack([number], step.active, {p.root for p in own})
    both = [[pull.parts(values, [1.0], stopped) for stopped in (NO_USES, penalised)] for values in drawn]

    def gradient(p: Parameter, parts: Mapping) -> np.ndarray:
        return np.ravel(p.turned(parts.get((p.root, None), np.zeros(p.root.shape))))

    data = {p: np.concatenate([gradient(p, rest) for _, rest in both]) for p in own}
    taken = {p: np.concatenate([np.ravel(stepped(p, values)) for values in drawn]) for p in own}
    shares: list[tuple[Parameter, np.ndarray, bool]] = []  # what each may take some of, and whether c is to be it
    for p in own:
        penalty = np.concatenate([gradient(p, whole) for whole, _ in both]) - data[p]
        weights = np.concatenate([np.ravel(values(p.before)) for values in drawn])
        shares += [(p, penalty, True)] if penalty.any() else []
        if penalty.any() and p.size > SEVERAL and common_multiple([penalty], [weights], RIGHT) is None:
            shares.append((p, weights, False))
    columns = [np.concatenate(list(data.values()))]
    for p, share, _ in shares:
        columns.append(np.concatenate([share if q is p else np.zeros_like(data[q]) for q in own]))
    steps = np.concatenate(list(taken.values()))
    c, *factors = np.linalg.lstsq(np.transpose(columns), steps, rcond=None)[0]
    least = RIGHT * np.abs(steps).max()
    if not c or np.abs(steps - np.array([c, *factors]) @ np.array(columns)).max() > least:
        return None
    off = (
        own[p]
        for (p, share, is_c), factor in zip(shares, factors, strict=True)
        if abs(factor - c * is_c) * np.abs(share).max() > least and not any(p.shrunk)
    )
    return next(off, None)


def terms_of_one_array(number: Node, roots: set[Node]) -> Uses:
    """Where something is added to a number that is made of one array and nothing else that is trained; where there is
    but one, of nothing else: the term, and by what it is added."""
    terms, found = [number], set()
    while terms:
        node = terms.pop()
        made = {n: roots & made_of([n], until=roots.__contains__) for n in node.parents}
        moving = [n for n in made if made[n]]
        if node.function not in ADDING and (node.function not in SCALING or len(moving) > 1):
            continue
        for n in moving:
            alone = len(made[n]) == 1 if len(roots) > 1 else made_alone_of([n], roots)
            found |= {(n, node)} if alone else set()
            terms += [] if alone else [n]
    return frozenset(found)
