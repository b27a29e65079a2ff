"""Why it would be hollow to say that all of a step is right: what else is stepped, or was meant for other data."""

from __future__ import annotations

import re

import numpy as np

from jaxnet.compare.author.attempts import Attempt
from jaxnet.compare.author.calls import PENALTY
from jaxnet.compare.author.chains import began_as
from jaxnet.compare.author.doubts import MOST_NUMBERS, numbers_beside
from jaxnet.compare.author.doubts_of_steps import has_no_least
from jaxnet.compare.author.frontier import other_with
from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.levels import RIGHT
from jaxnet.compare.author.lines import where
from jaxnet.compare.author.node import (
    PRODUCTS,
    Instruction,
    Node,
    ancestors,
    depends,
    made_alone_of,
    made_of,
    nodes_in,
    root_of,
    setitem,
    whole_of,
)
from jaxnet.compare.author.output import Gradients
from jaxnet.compare.author.pullback import PullBack
from jaxnet.compare.author.rates import numbers_of
from jaxnet.compare.author.recorder import set_flat
from jaxnet.compare.author.replay import Values, is_of_zeros, is_zero
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.truth import has_more_terms
from jaxnet.compare.author.unjudged import THROWN, unjudged, untrained
from jaxnet.compare.author.updates import is_by_0, multiples
from jaxnet.compare.diagnosis import Finding
from jaxnet.compare.multiples import common_multiple, is_among

LAST = 50  # operations, with which a record ends
MANY = 20  # examples, at least, that a data set has
SIGNED = (np.negative, np.multiply, np.subtract)  # what may make negative labels
_GRADIENTS = re.compile(r"\bgrad(ient)?s?\b")  # of a layer's grads["W"]


def hollow(attempt: Attempt, judged: Judged) -> str:
    """Why a verdict says less than it seems to; "" where it does not."""
    if attempt.call.alone and not judged.has_own_loss and (meant := _may_be_meant(judged, attempt.call.may_be)):
        return meant
    if all(_GRADIENTS.search(name) for name in judged.names):
        return "what is stepped is called a gradient: where a penalty is added to it, that is no training"
    left_over = _left_over(attempt, judged.step, judged.truth.loss.node)
    said = _may_be_right(attempt, judged, left_over) if judged.wrong else ""
    if not said and (thrown := _thrown_away(judged, attempt)) is not None:
        return f"{where(thrown)} makes a step, and nothing goes on with it: what is stepped there is not trained"
    if judged.wrong:
        return said
    why = _says_little(attempt, judged, left_over)
    return f"nothing is wrong in what {why}" if why else ""


def _is_an_input(attempt: Attempt, judged: Judged, name: str) -> bool:
    """Whether an array is the input of a network that is made of what another step of the same run has trained, as an
    adversarial example is (Goodfellow et al. 2015); or is added to the data and has no other part, as a perturbation
    that all examples share is (Moosavi-Dezfooli et al. 2017)."""
    own = judged.names.get(name)
    if own is None:
        return False
    others = {n for n in attempt.trained if n.updates}.difference(*(p.versions for p in judged.names.values()))
    products = [n for n in judged.step.forward if n.function in PRODUCTS]
    uses = [n for n in products if depends(n, own.before)]
    if uses and all(any(root_of(m) in others for m in n.parents) for n in uses):
        return True
    sums = {n for n in judged.step.forward if not own.as_read.isdisjoint(n.parents)} - own.as_read
    beside = {other for n in sums for other in n.parents} - own.as_read
    is_data = bool(beside) and beside.isdisjoint(judged.step.active)
    is_added = is_data and all(n.function in (np.add, np.subtract) for n in sums)
    return is_added and sums <= {parent for n in products for parent in n.parents}


def _stranger_in(step: Step, attempt: Attempt) -> str | None:
    """A file that may be another project's, and has a part in the step."""
    nodes = step.active | step.labelled if attempt.strangers else ()
    files = {place.file for n in nodes for place in n.places}
    return next((file for file in attempt.strangers.values() if file in files), None)


def _may_be_right(attempt: Attempt, judged: Judged, left_over: list[Node]) -> str:
    """Why what is wrong as it was run may be right as it is meant."""
    if stranger := _stranger_in(judged.step, attempt):
        return (
            f"{stranger}, which Python would not find, has a part in what seems wrong: right if another file is meant"
        )
    called, alone, may_be = attempt.called, attempt.call.alone, attempt.call.may_be
    errors = [f for f in judged.findings if f.severity == "error"]
    if alone and any(other_with(judged, name) in judged.wrong for name in judged.wrong):
        return "right if the gradients are returned in another order"
    if may_be and not alone and not _are_shares(judged):
        return may_be
    if called and _is_for_one_example(judged):
        return "right if it is called with one example at a time"
    if alone and _is_for_several_examples(judged):
        return "right if it is called with several examples at a time"
    if called and _is_for_one_output(judged):
        return "right if the network has one output, with a number for its bias"
    of_counts = [f for f in errors if f.code == "wrong-scale" and is_of_counts(f.scale or 1.0, judged.step)]
    if errors and of_counts == errors and (quotient := _quotient_in_the_rate(judged)):
        return f"the steps are multiplied by {quotient}: which gradients are to have that count in them is not told"
    if any(f.code == "wrong-scale" for f in errors) and (by := other_count(attempt, judged)) is not None:
        return f"{where(by)} divides by a number that may be how many examples the missing data have"
    if errors and all(f.code == "wrong-sign" and _is_an_input(attempt, judged, f.at[1:]) for f in errors):
        return "what climbs is an input of a network that other steps train: right if it is to be what that fails at"
    if called and errors and all(_is_decay_of_our_size(f, judged.step) for f in errors):
        return "right if the weights are to decay by what the loss has no penalty for"
    if called and errors and all(f.code == "weight-penalty" for f in errors):
        parts = ((p.root, n) for p in judged.names.values() for n in made_of(nodes_in(p.steps)) if is_by_0(n))
        if (by_0 := next((n for root, n in parts if root in map(root_of, n.parents)), None)) is not None:
            return f"{where(by_0)} multiplies a penalty by 0: right if it is called with the number that its loss has"
    if (number := _number_of_what_should_be_zero(judged)) is not None:
        return (
            f"what is stepped has no part in the loss that it was judged by, and {where(number)} computes another one"
        )
    between = [judged.step.way_to(judged.names[name]).intersection(left_over) for name in judged.wrong]
    if all(between):
        first = min(between[0], key=lambda n: n.number)
        return f"{where(first)} steps an array of the forward pass before others are, and it could not be judged"
    return ""


def _number_of_what_should_be_zero(judged: Judged) -> Node | None:
    """A number beside the loss that changes with an array that the loss does not change with: an actor's, say, of which
    no gradient is, since that has a bonus more."""
    step, apart = judged.step, [f.at[1:] for f in judged.findings if f.code == "should-be-zero"]
    roots = {judged.names[name].root for name in apart if name in judged.names}
    if not roots:
        return None
    of_loss = ancestors(nodes_in(judged.truth.loss.node))
    others = (n for n in numbers_beside(judged.step, judged.truth.loss.node) if n not in of_loss)
    for number in sorted(others, key=lambda n: -n.number)[:MOST_NUMBERS]:
        found = PullBack([number], step.active, roots)(judged.drawn[0], [1.0])
        if any(found[root].any() for root in roots.intersection(found)):
            return number
    return None


def _quotient_in_the_rate(judged: Judged) -> str:
    """A number that all steps are multiplied by and that has few digits once it is times the number of examples only:
    0.1 / m, computed beforehand. "" if there is none."""
    step, values = judged.step, judged.recorded

    def is_short(number: float) -> bool:
        return is_among(number, [float(f"{number:.2g}")], RIGHT)

    sizes = [{n.size for n in numbers_of(p, step, values) if n.outside} for p in step.parameters]
    found = ((size, m) for size in set.intersection(*sizes) for m in sorted(step.counts) if not is_short(size))
    return next((f"{size:.6g} = {size * m:.6g} / {m}" for size, m in found if is_short(size * m)), "")


def _says_little(attempt: Attempt, judged: Judged, left_over: list[Node]) -> str:
    """In what it is that nothing is wrong, where that is not all."""
    if (unfilled := _unfilled(judged, attempt)) is not None:
        return (
            f"gradients step, but {where(unfilled)} steps an array by zeros, to which nothing is added, in each step "
            "that was seen: right if it is to stay as it is, and wrong if not"
        )
    if (lost := attempt.tape.lost) is not None:
        return f"is on the record, but what {lost} makes, a matrix, a masked or a structured array, is not on it"
    if unseen := left_over or _made_anew(judged, attempt):
        return f"could be judged, but what {where(unseen[0])} steps could not"
    if doubt := _doubt_of_the_loss(attempt, judged):
        return doubt
    once = all(len(p.versions) == 2 for p in judged.step.parameters)
    if once and attempt.tape.is_cut and _is_in_the_midst(attempt.tape, judged.step):
        return f"could be recorded, but its step was not done in {len(attempt.tape.nodes)} operations"
    if attempt.notes and once and unjudged(judged, attempt):
        return f"could be judged, but the first step is not done ({attempt.notes[0]})"
    if attempt.raised and once and not attempt.made_up:
        step = judged.step.active | judged.step.labelled
        if again := sorted(attempt.raised & {(place.file, place.line) for n in step for place in n.places[:1]}):
            return f"its first step does, but its second one breaks off at line {again[0][1]}"
    return f"could be run, but {attempt.call.doubt}" if attempt.call.doubt else ""


def _doubt_of_the_loss(attempt: Attempt, judged: Judged) -> str:
    """Why the loss that all gradients are of may not be the one that is meant: one that is inferred of an error that
    adds labels, or beside a step that is thrown away; or a number that no name tells of, and that has no least."""
    loss, step = judged.truth.loss, judged.step
    if loss.node is None:
        if (added := _labels_added(step)) is not None:
            return f"could be judged, but {where(added)} adds labels to the prediction: right if they are kept negative"
        line = next((u.place.line for u in unjudged(judged, attempt) if u.why == THROWN), None)
        why = "is trained, but nothing goes on with the step of the array of line {}: it may be for another loss"
        return why.format(line) if line is not None else ""
    is_unnamed = loss.name is None or has_more_terms(loss.node, step)
    if is_unnamed and loss.sign > 0 and step.is_authors and has_no_least(judged):
        return (
            f"descends the number of {where(loss.node)}, but that has no least value: right if it is to be made small"
        )
    return ""


def _labels_added(step: Step) -> Node | None:
    """Where an error is the sum of the prediction and of labels, as they were read or made."""
    meetings = [(m.node, m.labels) for example in step.examples for m in example.meetings if m.labels is not None]
    added = [node for node, labels in meetings if node.function is np.add and labels.function not in SIGNED]
    return added[0] if len(added) == len(meetings) > 0 else None


def _is_decay_of_our_size(finding: Finding, step: Step) -> bool:
    """Whether a penalty was added of the size that we give for such an argument, or that of a mean or a square."""
    size = (finding.scale or 0.0) / PENALTY
    sizes = {n * half for count in (1, *step.counts) for n in (count, 1 / count) for half in (0.5, 1, 2)}
    return (finding.code, finding.scale_name) == ("weight-penalty", "added") and is_among(size, sizes, RIGHT)


def other_count(attempt: Attempt, judged: Judged) -> Node | None:
    """Where data are made up, what divides by a whole number that is not how many examples these have."""
    step = judged.step
    inside = {*step.backward, *made_of(nodes_in(judged.truth.loss.node))} & (step.labelled | step.active)
    for node in sorted(inside if attempt.made_up else (), key=lambda n: n.number):  # not pixels by 255
        by = node.inputs[1] if node.function is np.true_divide else None
        if isinstance(by, (int, float)) and by == int(by) >= MANY and int(by) not in step.counts:
            return node
    return None


def is_of_our_outputs(attempt: Attempt, judged: Judged) -> bool:
    """Whether a constant is how many outputs a network has that we have called: it may be meant to have one."""
    outputs = {float(n) for e in judged.step.examples for n in e.prediction.shape if n not in judged.step.counts}
    scales = [f.scale for f in judged.findings if f.scale]
    return attempt.called and not attempt.call.alone and any(is_among(scale, outputs, RIGHT) for scale in scales)


def _is_in_the_midst(tape: Tape, step: Step) -> bool:
    """Whether the record ends before a forward pass goes on with all that was stepped, be it an evaluation, or with
    what follows from the labels of the step."""
    on_the_way = (node in step.labelled and node in step.active for node in tape.nodes[-LAST:])
    later = tape.nodes[max(p.after.number for p in step.parameters) + 1 :]
    used = {parent for n in later if n not in step.labelled for parent in n.parents}
    gone_on = step.next_pass(tape) is not None or not any(p.new.isdisjoint(used) for p in step.parameters)
    return not gone_on or any(on_the_way)


def _used_at(sites: set[tuple], nodes: list[Node]) -> set[Node]:
    """What the instructions of a forward pass are given, in these Nodes."""
    return {parent for n in nodes if n.site in sites for parent in n.parents}


def _left_over(attempt: Attempt, step: Step, loss: Node | None) -> list[Node]:
    """What steps an array of the forward pass by what follows from the labels, or writes that into it, and was not
    judged; or steps it again and again by what came from outside of the record, or a number by anything; or steps what
    the program decided on in its forward pass, where a relu of plain numbers has cut it off."""
    tape = attempt.tape
    judged = {n for p in step.parameters for n in (*p.as_read, *p.versions, *nodes_in(p.steps))}
    judged |= attempt.trained - {n for other in attempt.steps for p in other.parameters for n in p.versions}
    ends = [*(example.prediction for example in step.examples), *nodes_in(loss)]
    inside = made_of(ends, until=lambda n: n in judged)
    forward = inside - step.active
    after = {n for p in step.parameters for n in p.new}  # what follows from these is the next forward pass
    first = min((n.number for n in step.labelled), default=0)
    begin, values = min(p.root.number for p in step.parameters), Values()
    decided = made_of(n for n, _ in tape.decisions if begin <= n.number < first) - forward - judged
    forward |= _used_beside(tape.nodes[max(p.before.number for p in step.parameters) : first], step)
    found = []
    sites = {n.site for n in inside & step.active}
    later = _used_at(sites, tape.nodes[step.last + 1 :])  # labels, from which something is taken, are as they were
    for node in tape.nodes[first : step.last + 1]:
        stepped = [(base, g) for base, g in node.updates if base not in later or node in later]
        made = [(base, g) for base, g in stepped if g in step.labelled and base in node.parents]
        written = node.function in (setitem, set_flat) and node.inputs[2] in step.labelled
        made += [(node.inputs[0], node.inputs[2])] if written else []
        if any(base in decided and base.size == 1 and not is_zero(g, values) for base, g in made):
            found.append(node)
            continue
        if node.place is None or node in inside or any(judged & set(pair) for pair in made):
            continue
        if not forward & {base for base, _ in made}:
            continue
        if written or not after & made_of(g for _, g in made):
            found.append(node)
    found += _numbers_left_over(tape, step, inside, judged.union(nodes_in(loss)))  # the loss of all examples is a sum
    used = _used_at(sites, tape.nodes[first:]) - judged
    steps = [(node, base, g) for node in tape.nodes[first:] for base, g in node.updates]
    bases = {base for _, base, _ in steps}
    unjudged = forward - judged
    direct = {parent for n in inside & step.active - judged for parent in n.parents}  # not the velocity of a bias
    numbers = {n for n in unjudged & direct - attempt.trained if not n.shape}
    numbers = {n for n in numbers if n.origin == "random" or began_as(n, anything=True) is not None}
    steps = [(node, base, g) for node, base, g in steps if base in unjudged and node.site not in sites]
    again = ((node, base, g) for node, base, g in steps if node in bases or node in used)
    return found + [
        node for node, base, g in again if base in numbers or _is_foreign(g, first) or _is_of_entries(node, base, g)
    ]


def _thrown_away(judged: Judged, attempt: Attempt) -> Node | None:
    """What makes a step of a parameter, time and again of the same one, and nothing goes on with it: `for w, g in …:
    w = w - rate * g`."""
    steps: dict[Node, list[Node]] = {p.before: [] for p in judged.step.parameters}
    makers = {(p.before, p.after.instruction) for p in judged.step.parameters}
    for n in attempt.tape.nodes:
        for base in (base for base, _ in n.updates if (base, n.instruction) in makers):
            steps[base].append(n)
    again = [of for of in steps.values() if len(of) > 1]
    used = {parent for n in attempt.tape.nodes for parent in n.parents} if again else set()
    return min((of[0] for of in again if used.isdisjoint(of)), key=lambda n: n.number, default=None)


def _unfilled(judged: Judged, attempt: Attempt) -> Node | None:
    """What steps an array of the forward pass by zeros to which nothing is added, in each step that was seen."""
    step, values = judged.step, judged.recorded
    ends = [*(example.prediction for example in step.examples), *step.losses]
    used = {n for n in made_of(ends) - step.active - attempt.trained if n.shape}
    # By an instruction, of an array: by what, and what.
    made: dict[tuple[Instruction | None, Node], tuple[Node, Node]] = {}
    for node in attempt.tape.nodes:
        for base, g in node.updates:
            if isinstance(g, Node):
                made.setdefault((node.instruction, base), (g, node))
    for instruction, array in made:
        steps, version = [], array
        while array in used and (instruction, version) in made:
            g, version = made[instruction, version]
            steps.append(g)
        if len(steps) > 1 and all(is_of_zeros(g, values) and is_zero(g, values) for g in steps):
            return made[instruction, array][1]
    return None


def _used_beside(nodes: list[Node], step: Step) -> set[Node]:
    """Arrays that a forward pass uses, in these Nodes, and that nothing goes into which is judged: what is made of them
    may have left the record. A velocity is no such array, nor a sum that only goes on."""
    used = {base for n in nodes for base in n.parents if all(base is not other for other, _ in n.updates)}
    return {n for n in used if n.size > 1} - ancestors(p.after for p in step.parameters)


def _made_anew(judged: Judged, attempt: Attempt) -> list[Node]:
    """What stands, in a later forward pass, in the place of an array that no step was seen to change, and holds other
    numbers: it was stepped, by what could not be followed."""
    step, values = judged.step, judged.recorded
    later = attempt.tape.nodes[step.last + 1 :]
    found = []
    for array, node in untrained(judged, attempt):
        if array not in node.parents:
            continue  # a table, of which other rows are picked
        k = node.parents.index(array)
        now = [n.parents[k] for n in later if n.site == node.site and len(n.parents) > k]
        if array in now or not now or now[0].shape != array.shape:
            continue
        inside = ancestors(now[:1], array.number)
        followed = array in inside and step.labelled.isdisjoint(inside)  # what is written there is no step
        followed &= array not in multiples(now[0])  # scaled by numbers it is stepped by itself, and by no gradient
        if not followed and not np.array_equal(values(now[0]), values(array)):
            found.append(now[0] if now[0].place is not None else node)
    return found


def _numbers_left_over(tape: Tape, step: Step, inside: set[Node], judged: set[Node]) -> list[Node]:
    """Where a number stood in the forward pass, or what another one had become before it, and what follows from this
    very pass stands in the next one, or what goes on from itself: it was stepped, whatever by. An optimiser's sums
    stand in none."""
    begin = max(root_of(p.before).number for p in step.parameters)
    versions = {version for p in step.parameters for version in p.versions}
    met = {meeting.node for example in step.examples for meeting in example.meetings}  # a label may be a number

    def is_number(i: object) -> bool:
        if not isinstance(i, Node) or (i.function is None and not i.shape):
            return True
        early = i.number < begin and i not in step.active  # a layer may be built when it first sees data
        return early and whole_of(i) not in judged and not versions.isdisjoint(made_of([i]))

    forward: dict[tuple, list[Node]] = {}
    for n in (inside & step.active - judged) | met:
        forward.setdefault(n.site, []).append(n)
    places = {
        (site, k): nodes[0]
        for site, nodes in forward.items()
        for k in range(len(nodes[0].inputs))
        if all(len(n.inputs) > k and is_number(n.inputs[k]) for n in nodes)
    }
    found = []
    for n in tape.nodes[min((n.number for n in step.labelled), default=0) :]:
        for k, now in enumerate(n.inputs):
            then = places.get((n.site, k))
            if then is None or not isinstance(now, Node) or now.instruction == n.instruction or now in then.parents:
                continue
            del places[n.site, k]
            again = (m for m in tape.nodes[now.number + 1 :] if m.instruction == now.instruction)
            goes_on = depends(now, then) or any(now is base for m in again for base, _ in m.updates)
            if goes_on and judged.isdisjoint(multiples(now)):
                found.append(now)
    return found


def _is_of_entries(node: Node, base: Node, step: object) -> bool:
    """Whether entries are written with plain numbers, and perhaps themselves: a gradient's that has left the record."""
    return node.function is setitem and (not isinstance(step, Node) or made_alone_of([step], {base}))


def _is_foreign(step: object, first: int) -> bool:
    """Whether something of a step came from outside of the record, once the labels had entered."""
    return isinstance(step, Node) and any(n.origin == "foreign" and n.number > first for n in made_of([step], first))


def _may_be_meant(judged: Judged, other_sign: str) -> str:
    """Why what is wrong with a lone layer is none if the loss that it is used with is made for it; `other_sign` if that
    may be one of signs."""
    if judged.wrong and (judged.truth.loss.other or _is_of_its_scores(judged)):
        # Softmax with cross-entropy: its loss may give it the error of its scores in the place of its own.
        return "right if it is given ∂loss/∂ what its last activation is applied to"
    own = [name for name, p in judged.names.items() if not _is_input(p)]
    if other_sign and any(f.code == "wrong-sign" and f.at[1:] in own for f in judged.findings):
        return other_sign
    late = [name for name in judged.wrong if name not in own]
    if own and late == judged.wrong != [] and all(_is_of_another_line(judged, name) for name in late):
        return "right if what it sends back is the derivative of the loss by what a line of its own makes"
    means = all(is_of_counts(f.scale or 1.0, judged.step) for f in judged.findings)
    # Of two arrays of a layer one cannot be for a mean and the other one for a sum.
    alike = not set(own).intersection(judged.wrong) or set(own) <= set(judged.wrong)
    if judged.wrong and means and alike and all(f.code == "wrong-scale" for f in judged.findings):
        return "right but for the number of examples, which the loss that it is used with may divide by"
    return ""


def _is_of_its_scores(judged: Judged) -> bool:
    """Whether all gradients of a lone layer are right if what comes in from above is ∂loss/∂ what its output is made of
    alone: the scores, of which it makes a softmax, or another activation."""
    ours = [n for n in ancestors(nodes_in(judged.truth.loss.node)) if n.place is None]
    outputs = {n for of in ours for n in of.parents if n.place is not None and n in judged.step.active}
    roots = {p.root for p in judged.names.values()}
    for output in outputs if len(outputs) == 1 else ():
        errors = [of_draw[output] for of_draw in judged.truth.adjoints]
        inner = (n for n in made_of([output]) & judged.step.active - {output} if n.shape == output.shape)
        for scores in inner:
            if ancestors([output], until=lambda n, scores=scores: n is scores) & roots:
                continue
            found = Gradients(scores, judged.step.active, judged.step.parameters, tuple(judged.drawn)).of(errors)
            if any(p.before not in of_draw for of_draw in found for p in judged.names.values()):
                continue
            true = {name: [of_draw[p.before] for of_draw in found] for name, p in judged.names.items()}
            factors = [common_multiple(judged.given[name], arrays, RIGHT) for name, arrays in true.items()]
            if all(f is not None and (abs(f - 1) < RIGHT or is_of_counts(f, judged.step)) for f in factors):
                return True
    return False


def _is_input(parameter: Parameter) -> bool:
    """Whether it is what a lone layer was given, which we step: no line has made it."""
    return parameter.root.place is None and parameter.after.place is None


def _is_of_another_line(judged: Judged, name: str) -> bool:
    """Whether a gradient is the derivative of the loss by something else of the forward pass, of the same shape."""
    given, parts, own = judged.given[name], judged.truth.parts, judged.names[name].as_read
    if common_multiple(given, judged.true[name], RIGHT) is not None:
        return False
    others = [n for n in judged.step.active if (n, None) in parts[0] and n.shape == given[0].shape and n not in own]
    true = ([of_draw.get((n, None), np.zeros(n.shape)) for of_draw in parts] for n in others)
    return any(common_multiple(given, array, RIGHT) is not None for array in true)


def _are_shares(judged: Judged) -> bool:
    """Whether all predictions are between 0 and 1, as those of a softmax are."""
    arrays = [np.asarray(v(example.prediction)) for v in judged.drawn for example in judged.step.examples]
    return bool(arrays) and all(((array >= 0) & (array <= 1)).all() for array in arrays)


def _is_for_one_example(judged: Judged) -> bool:
    """Whether all that is wrong has a row or a column for each example, and nothing that is right was one of these, and
    added up."""
    summed = any(_is_sum(p, judged.step) for name, p in judged.names.items() if name not in judged.wrong)
    return not summed and all(_is_of_each_example(judged, name) for name in judged.wrong)


def _is_for_several_examples(judged: Judged) -> bool:
    """Whether a layer is given a single vector, and all that is wrong is a number: the product of two vectors, or a sum
    along their only axis. The sum over all that there is is a number of several examples, too."""
    if not any(_is_input(p) and len(p.before.shape) == 1 for p in judged.names.values()):
        return False
    sizes = [(judged.given[name][0].size, judged.true[name][0].size) for name in judged.wrong]
    ways = [judged.step.way_to(judged.names[name]) for name in judged.wrong]
    return all(given == 1 < true for given, true in sizes) and not any(_is_of_all(n) for way in ways for n in way)


def _is_of_all(node: Node) -> bool:
    """Whether it is the sum or the mean over all axes, or an array's product with itself."""
    if node.function in (np.sum, np.mean):
        return node.keywords.get("axis", (*node.inputs, None)[1]) is None
    return node.function in PRODUCTS and len(node.parents) == 2 and node.parents[0] is node.parents[1]


def _is_for_one_output(judged: Judged) -> bool:
    """Whether all that is wrong is the sum over all that the biases of the outputs get, which are as many as we chose:
    of a softmax there are several."""
    if judged.dense is None or judged.dense.activations[-1] == "softmax":
        return False
    errors = [f for f in judged.findings if f.severity == "error"]
    return all(
        (f.code, f.at) == ("summed-over-all-axes", f"db{len(judged.dense.layers)}")
        and judged.names[f.at[1:]].root.place is None
        for f in errors
    )


def _is_sum(parameter: Parameter, step: Step) -> bool:
    """Whether numbers are added up to those that the parameter has."""
    reduced = (n for n in step.way_to(parameter) if n.function in (np.sum, np.mean) and n.size == parameter.size)
    return any(n.parents[0].size > n.size for n in reduced)


def _is_of_each_example(judged: Judged, name: str) -> bool:
    """Whether a gradient has a row or a column for each example, and these add up to the true one."""
    pairs = list(zip(judged.given[name], judged.true[name], strict=True))
    if any(not g.size > t.size > 0 == g.size % t.size for g, t in pairs):
        return False
    rows = [g.reshape(-1, *t.shape).sum(0) for g, t in pairs]
    columns = [g.reshape(*t.shape, -1).sum(-1) for g, t in pairs]
    return any((common_multiple(sums, judged.true[name], RIGHT) or 0) > 0 for sums in (rows, columns))


def is_of_counts(scale: float, step: Step) -> bool:
    """Whether a mean and a sum over as many as something of the step has may differ by it."""
    return is_among(scale, step.counts, RIGHT) or is_among(1 / scale, step.counts, RIGHT)
