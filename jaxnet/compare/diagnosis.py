"""Walks a network backwards and finds which formulas its hand-written gradient was computed with.

At each layer, from the last one down, every formula of the catalogue for dZ is run on the errors found so far; a
candidate is kept if the given dW and db follow from it by a formula too, to rounding and up to a constant. The few
cheapest explanations go on to the layer below, so the cost grows with depth as a factor, not as a power. A price is
paid for each mistake assumed: the simplest explanation that reproduces the numbers wins.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from jaxnet.compare import mistakes
from jaxnet.compare.mistakes import Array, Pass
from jaxnet.compare.multiples import multiple

# An array for each draw that was made. A formula holds only if it holds in all of them.
Arrays = tuple[Array, ...]
Factors = tuple[float, ...]

BEAM = 8  # explanations that go on to the next layer
UNKNOWN = 6.0  # the price of a quantity that nothing explains: more than any mistakes that explain it
ARBITRARY = 2.5  # the price of a constant without a meaning, against 1 for one with a meaning
MOST = 3  # mistakes in one error
NOISE = 1e-2  # of the tolerance, as a share of a sum's terms
SLACK = 1.5  # how much dearer than the cheapest an explanation of one layer may be and still go on


class Finding(NamedTuple):
    """One wrong formula: where, which, its constant if it has one, and what was computed, in symbols."""

    at: str
    code: str
    scale: float | None = None
    scale_name: str = ""
    computed: str = ""
    severity: str = "error"

    @property
    def layer(self) -> int:
        """2 of dZ2, dW2 and db2; 0 of what is no layer's."""
        return int(self.at[2:]) if self.at[2:].isdigit() else 0

    @property
    def is_of_layer_above(self) -> bool:
        """Whether a derivative is missing that belongs to the layer above: the error went back through its weights
        without it."""
        missing = self.code in ("missing-output-derivative", "missing-activation-derivative")
        return missing and re.match(r"dZ\d+ = \((dA\d+|\(Ŷ − Y\)|∂loss/∂Ŷ) \(?W", self.computed) is not None


class Problem(NamedTuple):
    """What is to be explained, an entry for each draw: a forward pass, and the gradients given for it.

    dW[l] and db[l] (index 0 is empty) hold the given gradients as rows, (o, i) and (o,), or whatever shape they
    came in; None where none was given. penalty[l] is λ of a weight penalty that the loss itself has. along[k][l] is
    the input of layer l + 1 along its `directions`, in draw k: candidates for its error are first tried on that.
    new[k][l] are the weights after the step, where they are known.
    """

    passes: list[Pass]
    dW: list[list[Array | None]]
    db: list[list[Array | None]]
    tolerance: float
    penalty: list[list[float]]
    along: tuple[list[Array], ...] = ()
    new: tuple[list[Array], ...] = ()
    has_right: bool = False  # some gradient is that of the loss as it is: what others share is none of the loss's


class Explanation(NamedTuple):
    """How one quantity follows from others: the codes of its mistakes, and its constant in each draw."""

    codes: tuple[str, ...]
    computed: str
    factors: Factors | None  # None where any constant would do, as for zeros
    penalty: float | None = None

    @property
    def known(self) -> bool:
        return "unknown" not in self.codes


class State(NamedTuple):
    """One way to explain all layers down to one: its price, the errors as they were used, what is wrong."""

    price: float
    errors: tuple[dict[int, Array], ...]  # dZ of each layer walked, for each draw, without the constant
    scale: Factors  # the constant that errors carry from layer to layer
    findings: tuple[Finding, ...]
    dA: tuple[list[tuple[str, Array]], ...]  # what errors of the layer above were before its slope, for each draw
    lost: bool = False  # the error could not be explained: nothing below can be said


class Diagnosis(NamedTuple):
    """The cheapest explanation: what is wrong, output first, its price (0: nothing), and the errors it went by."""

    findings: list[Finding]
    price: float
    errors: tuple[dict[int, Array], ...] = ()  # dZ[l] as it was used, for each draw, without a constant


def right_ones(problem: Problem) -> Iterator[bool]:
    """Of each given gradient that is not 0 by its nature whether it is, in all draws, what the right formulas give:
    told at once, without a search."""
    errors = [continued(p, {p.last: p.DZ}) for p in problem.passes]
    for layer in sorted(errors[0], reverse=True):
        weights, biases = [], []
        for k, (p, of_draw) in enumerate(zip(problem.passes, errors, strict=True)):
            error = of_draw[layer]
            weights.append(error.T @ p.A[layer - 1] + problem.penalty[layer][k] * p.W[layer])
            biases.append(error.sum(axis=0))
        for given, wanted in ((problem.dW[layer], weights), (problem.db[layer], biases)):
            pairs = [(g, w) for g, w in zip(given, wanted, strict=True) if g is not None]
            pairs = [(g, w) for g, w in pairs if g.any() or w.any() or g.shape != w.shape]
            if pairs:
                yield all(g.shape == w.shape and _close(g, w, problem.tolerance) for g, w in pairs)


def diagnose(problem: Problem, limit: float = math.inf) -> Diagnosis:
    """Explain the given gradients in the cheapest way.

    A price of `limit` or more is of no interest: the search ends there, and the price is infinite.
    """
    right = list(right_ones(problem))
    if all(right):
        return Diagnosis([], 0.0, tuple(continued(p, {p.last: p.DZ}) for p in problem.passes))
    problem = problem._replace(
        has_right=any(right), along=tuple([a @ directions(a.shape[1]) for a in p.A[:-1]] for p in problem.passes)
    )
    ones = (1.0,) * len(problem.passes)
    beam = [State(0.0, tuple({} for _ in problem.passes), ones, (), ())]
    for layer in range(problem.passes[0].last, 0, -1):
        following: list[State] = []
        for state in beam:
            # Prices only rise: what is dearer already than another explanation with this layer cannot catch up.
            if not following or state.price <= min(option.price for option in following) + SLACK:
                following += [state] if state.lost else _explain_layer(problem, layer, state, limit)
        beam = sorted(following, key=lambda state: state.price)
        beam = [state for state in beam if state.price <= beam[0].price + SLACK][:BEAM]
        if beam[0].price >= limit:
            return Diagnosis([], math.inf)
    best = beam[0]
    return Diagnosis(_with_errors_from_below(problem, best), best.price, best.errors)


def leaf_findings(leaves: list[tuple[str, Array, Array]], tolerance: float) -> list[Finding]:
    """What can be said without a network: (name, given, true) each for itself, and a constant that all share."""
    findings, factors = [], []
    for name, given, true in leaves:
        turned = given.T.shape == true.shape and given.shape != true.shape
        factor = _factor(given.T if turned else given, true, tolerance)
        if not given.any() and true.any():  # a sum over all that there is may be 0 by its nature
            findings.append(Finding(name, "zero" if given.shape == true.shape else "unknown"))
        elif given.any() and not true.any():
            findings.append(Finding(name, "should-be-zero"))
        elif factor is None and given.ndim == 2 and _factor(given.T, true, tolerance) is not None:
            findings.append(Finding(name, "transposed"))
        elif factor is None:
            findings.append(Finding(name, "unknown"))
        elif given.any():
            if turned:
                findings.append(Finding(name, "transposed"))
            factors.append((name, factor))
    if len({round(factor, 9) for _, factor in factors}) == 1 and len(factors) > 1:
        factors = [("loss", factors[0][1])]
    for name, factor in factors:
        severity = "warning" if name == "loss" and factor > 0 else "error"
        if factor < 0:
            findings.append(Finding(name, "wrong-sign", severity=severity))
        if abs(abs(factor) - 1) > 10 * tolerance:
            findings.append(Finding(name, "wrong-scale", abs(factor), f"{abs(factor):.6g}", severity=severity))
    return findings


def _factor(given: Array, true: Array, tolerance: float) -> float | None:
    if given.shape == true.shape and not given.any() and not true.any():
        return 1.0
    return multiple(given, true, tolerance)


# --- one layer ----------------------------------------------------------------------------------------------------


def _explain_layer(problem: Problem, layer: int, state: State, limit: float) -> list[State]:
    """The ways to explain dZ, dW and db of this layer, given how the layers above were explained."""
    right = next(_candidates(problem, layer, state, 0))
    found = _follow(problem, layer, state, right)
    if found[0].price > state.price and any(f.at[:2] == "dZ" for f in state.findings):  # that may have stayed above
        found += _follow(problem, layer, state, _true_error(problem, layer))
    if min(option.price for option in found) > state.price:
        # An error from which dW or db follows by its right formula is worth a closer look. Those with one mistake are,
        # if none is: they must have another one beside it. They are made one by one, since all fill the memory.
        cheapest = min(limit, *(option.price for option in found))
        fits = False
        for candidate in _in_order(problem, layer, state):
            if state.price + len(candidate.codes) >= cheapest:
                break
            if _fits_at_once(problem, layer, candidate.dZ):
                fits = True
                found += _follow(problem, layer, state, candidate)
                cheapest = min(cheapest, *(option.price for option in found))
        for candidate in () if fits else _in_order(problem, layer, state, 1):
            if state.price + len(candidate.codes) + 1 < cheapest:
                found += _follow(problem, layer, state, candidate)
                cheapest = min(cheapest, *(option.price for option in found))
        if min(option.price for option in found) + SLACK >= state.price + UNKNOWN + 1:  # that of giving up at least
            found.append(_give_up(problem, layer, state))
    found.sort(key=lambda option: option.price)
    return [option for option in found if option.price <= found[0].price + SLACK][:BEAM]


def _true_error(problem: Problem, layer: int) -> Candidate:
    """The derivative of the loss, whatever the layers above were given."""
    true = [continued(p, {p.last: p.DZ}) for p in problem.passes]
    dA = tuple([(f"dA{layer}", e[layer + 1] @ p.W[layer + 1])] for e, p in zip(true, problem.passes, strict=True))
    return Candidate((), f"dZ{layer} = ∂loss/∂Z{layer}", tuple(e[layer] for e in true), dA)


def _fits_at_once(problem: Problem, layer: int, errors: Arrays) -> bool:
    """Whether the given dW or db is the right formula's for this error, up to a constant."""
    dW, db = _given(problem.dW[layer]), _given(problem.db[layer])
    if not any(error.any() for error in errors):
        return not any(given.any() for given in (*(dW or ()), *(db or ())))
    has_shape = db is not None and all(b.size > 1 and b.shape == e.shape[1:] for b, e in zip(db, errors, strict=True))
    if db is not None and has_shape and _fit(problem, db, (e.sum(axis=0) for e in errors)) is not None:
        return True
    if dW is not None and all(w.shape == p.W[layer].shape for w, p in zip(dW, problem.passes, strict=True)):
        sought = [w @ directions(w.shape[1]) for w in dW]
        outer = [(along[layer - 1].T @ e).T for e, along in zip(errors, problem.along, strict=True)]
        return all(s.any() for s in sought) and _fit(problem, sought, outer) is not None
    return False


def _follow(problem: Problem, layer: int, state: State, candidate: Candidate) -> list[State]:
    """The states that this candidate for dZ leads to: none if it is a mistake that explains neither dW nor db."""
    codes, computed, arrays, dA = candidate
    errors = tuple({**above, layer: error} for above, error in zip(state.errors, arrays, strict=True))
    weights = _explain_weights(problem, layer, errors, state.scale)
    biases = _explain_biases(problem, layer, errors, state.scale)
    if codes and not (weights.known or biases.known):
        return []
    options = _price(problem, layer, state._replace(dA=dA), errors, codes, computed, weights, biases)
    return sorted(options, key=lambda option: option.price)


def _price(problem, layer, state, errors, codes, computed, weights, biases) -> list[State]:
    """One state for each constant that the layer's error may carry: the one from above, or that of dW or db, with
    either sign."""
    options = []
    last = layer == problem.passes[0].last
    own = [e.factors for e in (weights, biases) if e.factors]
    for scale in dict.fromkeys([state.scale, *own, *(tuple(-f for f in factors) for factors in own)]):
        findings = [Finding(f"dZ{layer}", code, None, "", computed) for code in codes]
        price = state.price + len(findings)
        change = _ratio(scale, state.scale)
        is_of_loss = last and not _is_one(problem, tuple(abs(c) for c in change))
        if is_of_loss and problem.has_right:
            continue
        findings += _scale_findings(problem, f"dZ{layer}", change, computed)
        price += _scale_price(problem, change)
        if is_of_loss:
            # Of equals, a constant of a single quantity is simpler than one that others must undo.
            price += 0.1 if biases.factors else -0.1
            findings = [f._replace(at="loss", severity="warning") if f.code == "wrong-scale" else f for f in findings]
        undone_below = not last and bool(findings[len(codes) :])
        undone_by_biases = last and change[0] < 0
        if undone_below or undone_by_biases:
            price += 0.05  # nor is one of an error that others undo
        for name, explanation in ((f"dW{layer}", weights), (f"db{layer}", biases)):
            price += UNKNOWN if not explanation.known else len(explanation.codes)
            findings += [
                _penalty_finding(problem, layer, explanation)
                if code == "weight-penalty"
                else Finding(name, code, None, "", explanation.computed)
                for code in explanation.codes
            ]
            if explanation.factors is not None:
                off = _ratio(explanation.factors, scale)
                findings += _scale_findings(problem, name, off, explanation.computed)
                price += _scale_price(problem, off)
        options.append(State(price, errors, scale, state.findings + tuple(findings), state.dA))
    return options


def _give_up(problem: Problem, layer: int, state: State) -> State:
    """Nothing is known about this layer's error; go on with what dW says that it was, if it says so."""
    finding = Finding(f"dZ{layer}", "unknown")
    recovered = []
    for p, dW in zip(problem.passes, problem.dW[layer], strict=True):
        A = p.A[layer - 1]
        many = len(A) > A.shape[1]  # examples: their errors cannot be told apart
        if dW is None or dW.shape != p.W[layer].shape or many or np.linalg.matrix_rank(A) < len(A):
            break
        recovered.append((dW @ np.linalg.pinv(A)).T)
    price = state.price + UNKNOWN + 1 + (0 if len(recovered) == len(problem.passes) else (layer - 1) * UNKNOWN)
    if len(recovered) == len(problem.passes):
        errors = tuple({**above, layer: error} for above, error in zip(state.errors, recovered, strict=True))
        biases = _explain_biases(problem, layer, errors, (1.0,) * len(recovered))
        price += 0 if biases.known else 1
        nothing: tuple[list[tuple[str, Array]], ...] = tuple([] for _ in recovered)
        return State(price, errors, (1.0,) * len(recovered), (*state.findings, finding), nothing)
    return State(price, state.errors, state.scale, (*state.findings, finding), (), lost=True)


# --- candidates for dZ --------------------------------------------------------------------------------------------


def _together(
    tables: Iterable[Iterable[tuple[str, Array]]], may_be: Callable[[Array], bool] = lambda _: True
) -> Iterator[tuple[str, Arrays]]:
    """What the formula yields in every draw: (symbols, an array for each draw); of what may be it in the first one."""
    first, *later = tables
    others: list[dict[str, Array]] | None = None
    for symbols, array in first:
        if may_be(array):
            others = [dict(table) for table in later] if others is None else others
            if all(symbols in other for other in others):
                yield symbols, (array, *(other[symbols] for other in others))


def _codes(*codes: str | None) -> tuple[str, ...]:
    return tuple(code for code in codes if code is not None)


class Candidate(NamedTuple):
    """A way to make dZ of a layer: its mistakes, in symbols, dZ in each draw, and what that was before the slope."""

    codes: tuple[str, ...]
    computed: str
    dZ: Arrays
    dA: tuple[list[tuple[str, Array]], ...]


def _candidates(problem: Problem, layer: int, state: State, count: int) -> Iterator[Candidate]:
    """Those with so many mistakes; of those with none the right one first, as in each table."""
    if count == 1:
        zeros = tuple(np.zeros_like(p.Z[layer]) for p in problem.passes)
        yield Candidate(("zero",), f"dZ{layer} = 0", zeros, tuple([] for _ in zeros))
    if layer == problem.passes[0].last:
        found = output_candidates(problem.passes, count)
    else:
        found = _hidden_candidates(problem, layer, state, count)
    yield from (candidate._replace(computed=f"dZ{layer} = {candidate.computed}") for candidate in found)


def _in_order(problem: Problem, layer: int, state: State, most: int = MOST) -> Iterator[Candidate]:
    """All but the right one, by the number of mistakes, and of equal arrays one: a few numbers tell them apart."""
    seen = set()
    for count in range(most + 1):
        for candidate in _candidates(problem, layer, state, count):
            numbers = tuple(
                (array.shape, (directions(len(array))[:, 0] @ array @ directions(array.shape[1]) + 0.0).tobytes())
                for array in candidate.dZ
            )
            if seen and numbers not in seen:  # the right one comes first
                yield candidate
            seen.add(numbers)


def output_candidates(passes: list[Pass], count: int | None = None) -> Iterator[Candidate]:
    """The ways to make dZ of the output, the right one first; or those with so many mistakes."""
    dA = tuple(list(mistakes.output_errors(p)) for p in passes)
    for (code, formula), (extra_code, extra) in itertools.product(mistakes.OUTPUT_ERRORS, mistakes.OUTPUT_EXTRAS):
        codes = _codes(code, extra_code)
        if count is not None and len(codes) != count:
            continue
        for symbols, errors in _together(formula(p) for p in passes):
            for more, factors in _together(extra(p) for p in passes):
                yield Candidate(codes, symbols + more, _times(errors, factors), dA)


def _hidden_candidates(problem: Problem, layer: int, state: State, count: int) -> Iterator[Candidate]:
    passes = problem.passes
    above = [mistakes.Above(e[layer + 1], dA) for e, dA in zip(state.errors, state.dA, strict=True)]
    for code, through in mistakes.WEIGHTS:
        if slopes := _slopes(_codes(code), count):
            for symbols, dA in _together(through(p, layer, of) for p, of in zip(passes, above, strict=True)):
                named = tuple([(f"dA{layer}", array)] for array in dA)
                for codes, slope in slopes:
                    for more, factors in _together(slope(p, layer, d) for p, d in zip(passes, dA, strict=True)):
                        yield Candidate(codes, f"({symbols}) ∘ {more}", _times(dA, factors), named)
    errors = [((), f"dZ{layer + 1}", tuple(of.dZ for of in above))]
    code = "missing-output-derivative" if layer + 1 == passes[0].last else "missing-activation-derivative"
    errors += [((code,), symbols, dA) for symbols, dA in _together(of.dA for of in above)]
    for codes, symbols, arrays in errors:
        yield from _after_update_candidates(problem, layer, codes, symbols, arrays, count)


def _slopes(codes: tuple[str, ...], count: int) -> list[tuple[tuple[str, ...], mistakes.Slope]]:
    """The formulas of a slope with which, beside these mistakes, there are so many."""
    found = [((*codes, *_codes(code)), slope) for code, slope in mistakes.DERIVATIVES]
    return [(codes, slope) for codes, slope in found if len(codes) == count]


def _after_update_candidates(
    problem: Problem, layer: int, codes_above: tuple[str, ...], above: str, errors: Arrays, count: int
) -> Iterator[Candidate]:
    """dZ (W − η dW) ∘ slope, where W had made its step already: if that is not known, η is solved for, from dW or db of
    this layer. The errors `above` are dZ, or what has yet to be multiplied by its slope, with the code of that."""
    passes = problem.passes
    steps = [p.W[layer + 1] - new[layer + 1] for p, new in zip(passes, problem.new, strict=False)]
    for p, dW in zip(passes, problem.dW[layer + 1], strict=True) if not steps else ():
        if dW is None:
            return
        try:
            steps.append(np.broadcast_to(dW, p.W[layer + 1].shape))
        except ValueError:
            return
    W, draws = [p.W[layer + 1] for p in passes], range(len(passes))
    ways: list[tuple[tuple[str, ...], list[tuple[Array, Array]]]] = [((), list(zip(W, steps, strict=True)))]
    if all(w.shape[0] == w.shape[1] for w in W):
        ways.append((("weights-not-transposed",), [(w.T, step.T) for w, step in zip(W, steps, strict=True)]))
    for of_way, through in ways:
        if not (found := _slopes((*codes_above, "weights-already-updated", *of_way), count)):
            continue
        dA = tuple(error @ w for error, (w, _) in zip(errors, through, strict=True))
        dA_change = tuple(error @ step for error, (_, step) in zip(errors, through, strict=True))
        for codes, slope in found:
            for more, slopes in _together(slope(p, layer, d) for p, d in zip(passes, dA, strict=True)):
                before, change = _times(dA, slopes), _times(dA_change, slopes)
                rates = [1.0 if problem.new else _step_size(problem, layer, k, before[k], change[k]) for k in draws]
                if all(rate > 1e-12 for rate in rates):
                    updated = tuple(b - rate * c for b, c, rate in zip(before, change, rates, strict=True))
                    symbols = f"({above} (W{layer + 1} after its update)) ∘ {more}"
                    named = tuple([(f"dA{layer}", a - r * c)] for a, c, r in zip(dA, dA_change, rates, strict=True))
                    yield Candidate(codes, symbols, updated, named)


def _step_size(problem: Problem, layer: int, k: int, before: Array, change: Array) -> float:
    """η such that (before − η change) gives this layer's dW or db up to a constant; 0 if there is none."""
    p, dW, db = problem.passes[k], problem.dW[layer][k], problem.db[layer][k]
    systems = []
    for turned in () if dW is None else (dW, dW.T):
        if turned.shape == p.W[layer].shape:
            probe = problem.along[k][layer - 1]
            systems.append((before.T @ probe, change.T @ probe, turned @ directions(turned.shape[1])))
    if db is not None and db.size == before.shape[1] >= 3:
        systems.append((before.sum(axis=0), change.sum(axis=0), db))
    for first, second, given in systems:
        factor, change_factor = _least_squares(first, -second, given)
        if factor and _close(given, factor * first - change_factor * second, problem.tolerance):
            return change_factor / factor
    return 0.0


# --- explaining dW and db -----------------------------------------------------------------------------------------


def _explain_weights(problem: Problem, layer: int, errors, scale: Factors) -> Explanation:
    """How dW was made of an error and an input: the cheapest way, `unknown` if no formula gives it."""
    given = _given(problem.dW[layer])
    if given is None:
        return Explanation((), "", None)
    if not any(array.any() for array in given):
        right = (e[layer].T @ p.A[layer - 1] for e, p in zip(errors, problem.passes, strict=True))
        return Explanation(("zero",) if any(array.any() for array in right) else (), f"dW{layer} = 0", None)
    W = tuple(p.W[layer] for p in problem.passes)
    cheapest = _Cheapest(problem, scale)
    for error_codes, dZ, error in _errors_to_try(problem, layer, errors):
        for code, formula in mistakes.INPUTS:
            for A, inputs in _together(formula(p, layer) for p in problem.passes):
                codes = (*error_codes, *_codes(code))
                if cheapest.price <= len(codes):
                    return cheapest.explanation
                for wrong, factors, penalty in _fit_outer_product(problem, given, error, inputs, W, layer):
                    computed = f"dW{layer} = {dZ}ᵀ {A}" + (" + λW" if penalty is not None else "")
                    cheapest.consider((*codes, *wrong), computed, factors, penalty)
                wrong, elementwise = mistakes.PRODUCTS[-1]
                for pattern, arrays in _together(elementwise(e, a) for e, a in zip(error, inputs, strict=True)):
                    computed = f"dW{layer} = {pattern.format(dZ=dZ, A=A)}"
                    cheapest.consider((*codes, *_codes(wrong)), computed, _match(problem, given, arrays, W, scale))
    return cheapest.explanation


def _explain_biases(problem: Problem, layer: int, errors, scale: Factors) -> Explanation:
    """How db was made of an error: the cheapest way, `unknown` if no formula gives it."""
    given = _given(problem.db[layer])
    if given is None:
        return Explanation((), "", None)
    if not any(array.any() for array in given):
        wrong = any(e[layer].sum(axis=0).any() for e in errors)
        if not wrong or all(array.ndim for array in given):
            return Explanation(("zero",) if wrong else (), f"db{layer} = 0", None)
    biases = tuple(e[layer][0] for e in errors)
    cheapest = _Cheapest(problem, scale)
    for error_codes, dZ, error in _errors_to_try(problem, layer, errors):
        size = max(abs(c) * np.abs(e).sum() for c, e in zip(scale, error, strict=True))
        is_noise = np.abs(given[0]).max() <= NOISE * problem.tolerance * size

        def may_be(array: Array, is_noise: bool = is_noise) -> bool:
            return is_noise or any(
                multiple(given[0], c, problem.tolerance) is not None
                for c in _as_shaped(given[0], array, biases[0].shape)
            )

        for code, formula in mistakes.SUMS:
            codes = (*error_codes, *_codes(code))
            if cheapest.price <= len(codes):
                return cheapest.explanation
            for k in range(problem.passes[0].last, 0, -1):
                tables = (formula(e, p.Z[k]) for e, p in zip(error, problem.passes, strict=True))
                sums = _together(tables, may_be)
                for pattern, arrays in sums:
                    computed = f"db{layer} = {pattern.format(dZ=dZ, Z=f'Z{k}')}"
                    cheapest.consider(codes, computed, _match(problem, given, arrays, biases, scale, size))
                if code != "multiplied-by-pre-activation":
                    break  # the others do not look at Z
    return cheapest.explanation


class _Cheapest:
    """Keeps the cheapest explanation that it is shown; of equal ones the first."""

    def __init__(self, problem: Problem, scale: Factors):
        self.problem, self.scale = problem, scale
        self.price, self.explanation = UNKNOWN, Explanation(("unknown",), "", None)

    def consider(self, codes, computed: str, factors: Factors | None, penalty: float | None = None) -> None:
        if factors is not None:
            price = len(codes) + (_scale_price(self.problem, _ratio(factors, self.scale)) if factors else 0)
            if price < self.price:
                self.price, self.explanation = price, Explanation(codes, computed, factors or None, penalty)


def _given(arrays: list[Array | None]) -> Arrays | None:
    present = tuple(array for array in arrays if array is not None)
    return present if len(present) == len(arrays) else None


def _errors_to_try(problem: Problem, layer: int, errors) -> Iterator[tuple[tuple[str, ...], str, Arrays]]:
    """This layer's dZ; then, as a mistake, another layer's: those below as they are if all is right down there."""
    complete = tuple(continued(p, e) for p, e in zip(problem.passes, errors, strict=True))
    for code, formula in mistakes.ERRORS:
        for symbols, arrays in _together(formula(e, layer) for e in complete):
            yield _codes(code), symbols, arrays


def continued(p: Pass, errors: dict[int, Array]) -> dict[int, Array]:
    """The errors of the layers below too, by the right formulas."""
    complete = dict(errors)
    for below in range(max(complete) - 1, 0, -1):
        if below not in complete:
            slope = mistakes.ACTIVATIONS[p.activations[below]][1](p.Z[below])
            complete[below] = (complete[below + 1] @ p.W[below + 1]) * slope
    return complete


@lru_cache
def directions(width: int) -> Array:
    """Three fixed random ones: a matrix is first compared by its product with them, which is far cheaper."""
    return np.random.default_rng(width).normal(size=(width, 3))


def _fit_outer_product(problem: Problem, given: Arrays, error: Arrays, inputs: Arrays, W: Arrays, layer: int):
    """(codes, factors, λ) for each way in which given = c (errorᵀ input + λ W), or its transpose, holds."""
    for turned in (False, True):
        target = tuple(g.T for g in given) if turned else given
        if any(t.shape != (e.shape[1], a.shape[1]) for t, e, a in zip(target, error, inputs, strict=True)):
            continue
        codes = ("transposed",) if turned else ()
        probes = [directions(a.shape[1]) for a in inputs]
        outer = [e.T @ (a @ v) for e, a, v in zip(error, inputs, probes, strict=True)]
        sought = [t @ v for t, v in zip(target, probes, strict=True)]
        same_shape = all(t.shape == w.shape for t, w in zip(target, W, strict=True))
        weights = [w @ v for w, v in zip(W, probes, strict=True)] if same_shape else None
        of_loss = problem.penalty[layer]

        def confirmed(factors: Factors | None, penalties: list[float], target=target) -> bool:
            """The probes are three numbers a row; the whole matrices decide."""
            return factors is not None and all(
                _close(t, c * (e.T @ a + (penalty * w if penalty else 0)), problem.tolerance)
                for t, c, e, a, w, penalty in zip(target, factors, error, inputs, W, penalties, strict=True)
            )

        right = outer
        if any(of_loss) and weights:
            right = [o + penalty * w for o, w, penalty in zip(outer, weights, of_loss, strict=True)]
        factors = _fit(problem, sought, right)
        if confirmed(factors, of_loss):
            yield codes, factors, None
        elif weights is not None and sum(t.size - 2 for t in target) >= 2:  # two numbers are solved for in each draw
            solutions = [_least_squares(o, w, x) for o, w, x in zip(outer, weights, sought, strict=True)]
            factors = tuple(c for c, _ in solutions)
            if all(factors):
                # What is rounding beside the rest is no penalty.
                least = [
                    problem.tolerance * np.abs(x).max() / np.abs(w).max() for x, w in zip(sought, weights, strict=True)
                ]
                penalties = [p / c if abs(p) > none else 0.0 for (c, p), none in zip(solutions, least, strict=True)]
                # λ W or λ/m W: the same in all draws, or the same times the number of examples.
                times_m = [penalty * len(p.Y) for penalty, p in zip(penalties, problem.passes, strict=True)]
                # Of an error that is off by a constant the penalty may be right all the same.
                own = any(of_loss) and all(
                    abs(p - of) <= 1e-5 * abs(of) for (_, p), of in zip(solutions, of_loss, strict=True)
                )
                if (own or _constant(penalties) or _constant(times_m)) and confirmed(factors, penalties):
                    yield (codes, factors, None) if own else ((*codes, "weight-penalty"), factors, penalties[0])


def _constant(values: list[float]) -> bool:
    return all(abs(value - values[0]) <= 1e-5 * abs(values[0]) for value in values)


def _least_squares(first: Array, second: Array, given: Array) -> tuple[float, float]:
    """The (a, b) for which a · first + b · second is nearest to given; zeros if the two are parallel."""
    u, v, g = first.ravel(), second.ravel(), given.ravel()
    uu, uv, vv = float(u @ u), float(u @ v), float(v @ v)
    determinant = uu * vv - uv * uv
    if determinant <= 1e-12 * uu * vv:
        return 0.0, 0.0
    ug, vg = float(u @ g), float(v @ g)
    return (vv * ug - uv * vg) / determinant, (uu * vg - uv * ug) / determinant


def _match(
    problem: Problem, given: Arrays, candidate: Arrays, like: Arrays, scale: Factors, size: float = 0.0
) -> Factors | None:
    """c with given = c · candidate in each draw, whichever way round and however spread by broadcasting; or None.

    `size` is that of the terms of a sum, by which rounding is told from numbers: () if both are rounding.
    """
    shaped = [_as_shaped(g, c, parameter.shape) for g, c, parameter in zip(given, candidate, like, strict=True)]
    if not all(shaped):
        return None
    # Softmax errors sum to 0 over the classes, in exact arithmetic: then both are rounding and nothing else.
    noise = NOISE * problem.tolerance * size
    if noise and all(
        np.abs(g).max() <= noise and np.abs(c).max() <= noise and (g.size == c.size or not np.ptp(g))
        for g, c in zip(given, candidate, strict=True)
    ):
        return ()
    for arrays in itertools.product(*shaped):
        factors = _fit(problem, given, arrays)
        if factors is not None:
            # Any constant fits a single number: there only one that has a meaning counts.
            one_number = all(np.ptp(g) <= problem.tolerance * np.abs(g).max() for g in given)
            if not one_number or _scale_name(problem, _ratio(factors, scale)) is not None:
                return factors
    return None


def _as_shaped(given: Array, candidate: Array, parameter_shape: tuple[int, ...]) -> list[Array]:
    """The candidate in the given array's shape: as it is, turned round, or spread over the parameter's shape."""
    shaped = []
    may_be_spread = (
        given.shape == parameter_shape and candidate.size < given.size and candidate.size in (1, *given.shape)
    )
    for c in (candidate, candidate.T) if candidate.ndim == 2 else (candidate,):
        if c.shape == given.shape:
            shaped.append(c)
        elif c.size == given.size and (c.ndim < 2 or 1 in c.shape) and (given.ndim < 2 or 1 in given.shape):
            shaped.append(c.reshape(given.shape))
        elif may_be_spread:
            for spread in (c.shape, (*c.shape, 1)):
                try:
                    shaped.append(np.broadcast_to(c.reshape(spread), given.shape))
                except ValueError:
                    continue
    return shaped


# --- constants and rounding -----------------------------------------------------------------------------------------


def _times(first: Arrays, second: Arrays) -> Arrays:
    return tuple(a * b for a, b in zip(first, second, strict=True))


def _close(given: Array, candidate: Array, tolerance: float) -> bool:
    """Equal to rounding, as a share of the largest entry."""
    return bool(np.abs(given - candidate).max() <= tolerance * np.abs(given).max())


def _fit(problem: Problem, given: Iterable[Array], candidate: Iterable[Array]) -> Factors | None:
    """c with given = c · candidate, by least squares and then checked; None if in some draw there is none, or if less
    than two tell: where both are 0, behind relus that are all cut off, it is as in another."""
    factors: list[float | None] = []
    for g, a in zip(given, candidate, strict=True):
        factor = multiple(g, a, problem.tolerance)
        if factor is None and (np.any(g) or np.any(a)):
            return None
        factors.append(factor)
    known = [factor for factor in factors if factor is not None]
    if len(known) < min(2, max(len(factors), 1)):
        return None
    return tuple(known[0] if factor is None else factor for factor in factors)


def _ratio(factors: Factors, scale: Factors) -> Factors:
    return tuple(f / s for f, s in zip(factors, scale, strict=True))


def _same(first: float, second: float, problem: Problem) -> bool:
    return abs(first - second) <= 10 * problem.tolerance * abs(second)


def _is_one(problem: Problem, ratio: Factors) -> bool:
    return all(_same(r, 1.0, problem) for r in ratio)


def _scale_name(problem: Problem, ratio: Factors) -> str | None:
    """The name of |ratio| if it is a constant with a meaning: m, 1/m, 2, … the same one in all draws."""
    first, *later = (
        mistakes.constants(len(p.Y), (p.A[0].shape[1], *(z.shape[1] for z in p.Z[1:]))) for p in problem.passes
    )
    size, *others = map(abs, ratio)
    for name, constant in first.items():
        same = _same(size, constant, problem)  # in the first draw: it is seldom
        if same and all(_same(other, table[name], problem) for other, table in zip(others, later, strict=True)):
            return name
    return None


def _scale_price(problem: Problem, ratio: Factors) -> float:
    """Nothing for 1, 1 for a sign, 1 more for a constant with a meaning, more for one without."""
    if _is_one(problem, ratio):
        return 0.0
    sign = 1.0 if ratio[0] < 0 else 0.0
    size = tuple(abs(r) for r in ratio)
    if _is_one(problem, size):
        return sign
    name = _scale_name(problem, size)
    if name is not None:
        return sign + (1 if name in mistakes.SIMPLE_CONSTANTS else 1.2)
    constant = all(_same(r, ratio[0], problem) for r in ratio)
    return sign + ARBITRARY if constant else math.inf


def _scale_findings(problem: Problem, at: str, ratio: Factors, computed: str) -> list[Finding]:
    findings = []
    if ratio[0] < 0:
        findings.append(Finding(at, "wrong-sign", None, "", computed))
    size = tuple(abs(r) for r in ratio)
    if not _is_one(problem, size):
        name = _scale_name(problem, size) or f"{size[0]:.6g}"
        findings.append(Finding(at, "wrong-scale", size[0], name, computed))
    return findings


def _penalty_finding(problem: Problem, layer: int, explanation: Explanation) -> Finding:
    of_loss, used = problem.penalty[layer][0], explanation.penalty or 0.0
    left_out = of_loss != 0 and abs(used) <= 1e-9 * abs(of_loss)
    scale = of_loss if left_out else used
    name = "left out" if left_out else f"in place of {of_loss:.6g}" if of_loss else "added"
    return Finding(f"dW{layer}", "weight-penalty", scale, name, explanation.computed)


def _with_errors_from_below(problem: Problem, best: State) -> list[Finding]:
    """Once the layers below are known, what was unknown may turn out to have used the error of one of them."""
    findings: list[Finding] = []
    for finding in best.findings:
        again = None
        if finding.code == "unknown" and finding.at[:2] in ("dW", "db") and not best.lost:
            explain = _explain_weights if finding.at.startswith("dW") else _explain_biases
            again = explain(problem, finding.layer, best.errors, best.scale)
        if again is None or not again.known:
            findings.append(finding)
        else:
            findings += [Finding(finding.at, code, None, "", again.computed) for code in again.codes]
            if again.factors is not None:
                findings += _scale_findings(problem, finding.at, _ratio(again.factors, best.scale), again.computed)
    return findings
