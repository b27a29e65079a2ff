"""The arrays that a program steps, and their versions: of the record of a run, by its structure alone.

A step of an array p is p ± g with g dependent on p, and the next version of it is what that gives. Entries and rows
that are stepped one by one make one step together. Arrays whose steps depend on each other are one network.
"""

from __future__ import annotations

import functools
import itertools
import operator
import types
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxnet.compare.author.node import Node, add_at, depends, made_alone_of, made_of, nodes_in, root_of, setitem
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.updates import known_zero, most_of, multiples, scaled_by_numbers


class Chain(NamedTuple):
    """The versions of one array, and what was added or subtracted between each and the next."""

    versions: tuple[Node, ...]
    steps: tuple[tuple[Any, ...], ...]
    written: frozenset[Node] = frozenset()  # what was written into it, where it is stepped entry by entry
    bounded: tuple[tuple[Node, Node], ...] = ()  # versions, and what was made of each before the next step

    def start(self, k: int) -> Node:
        """What the k-th step is made from: a version, clipped or masked if it was."""
        return dict(self.bounded).get(self.versions[k], self.versions[k])

    @property
    def parts(self) -> frozenset[Node]:
        """The versions that its steps gave it, which are written into another array where it is a part of one."""
        return frozenset(self.versions[1:])


def chains_in(tape: Tape) -> list[Chain]:
    """Arrays that are stepped twice or more; those stepped once, if there are no others."""
    several, once = _several_and_once(tape)
    return _parameters(several or once, tape)


def stepped_once(tape: Tape) -> list[Chain]:
    """Arrays that are stepped once, beside others that are trained: by lines that train none, with nothing that was
    trained, and for no step of those. A step may be worked by hand before a loop makes many."""
    several, once = _several_and_once(tape)
    trained = {version for chain in several for version in chain.versions[1:]}
    lines = {version.place for version in trained}
    inside = made_of(nodes_in([chain.steps for chain in several]))  # sums of gradients, say
    apart = [c for c in once if c.versions[1].place not in lines and inside.isdisjoint(c.versions)]
    following = masked(dict.fromkeys(trained, 1), _since(trained, tape.nodes)) if apart else {}
    apart = [c for c in apart if not any(n in following for n in nodes_in(c.steps))]
    return _parameters(apart, tape) if several else []


def _several_and_once(tape: Tape) -> tuple[list[Chain], list[Chain]]:
    """Arrays that are stepped twice or more, and those stepped once; by more than what is made of the array itself,
    unlike where data are normalised, again and again."""
    _find_following(tape)
    chains = [_to_its_last_step(chain, tape.nodes) for chain in _joined(_built(_links(tape), tape))]
    several = [chain for chain in chains if len(chain.steps) >= 2]
    several = [c for c in several if not made_alone_of(nodes_in(c.steps[0]), {c.versions[0]})] or several
    once = [chain for chain in chains if len(chain.steps) == 1 and _takes_its_place(chain)]
    return several, once if several else _without_labels(once, tape.nodes)


def _without_labels(once: list[Chain], nodes: list[Node]) -> list[Chain]:
    """Without labels that predictions are taken from before a single step, Y - P, and once more after it."""
    stepped = {chain.versions[1]: 1 << k for k, chain in enumerate(once)}
    masks = masked(stepped, _since(stepped, nodes))  # from whose steps it follows
    taken: defaultdict[Node, set[int]] = defaultdict(set)
    for n in nodes:
        if n.function is np.subtract and isinstance(n.inputs[0], Node):
            taken[n.inputs[0]].add(masks.get(n, 0) & ~stepped.get(n, 0))
    return [chain for chain in once if len(taken[chain.versions[0]]) < 2]


def _to_its_last_step(chain: Chain, nodes: list[Node]) -> Chain:
    """The chain without a last version that another line makes than all before, and that stands where none of these
    did: what a forward pass of its own adds to a bias, to sample with it, once the training has been ended."""
    *before, last = chain.versions
    if len(before) < 3 or last.instruction in (version.instruction for version in before):
        return chain
    places = {(n.instruction, k) for n in nodes[last.number + 1 :] for k, i in enumerate(n.inputs) if i is last}
    known, uses = set(before), nodes[before[0].number : last.number] if places else []
    if not places or any(
        (n.instruction, k) in places for n in uses for k, i in enumerate(n.inputs) if isinstance(i, Node) and i in known
    ):
        return chain
    return chain._replace(versions=tuple(before), steps=chain.steps[:-1])


def _parameters(chains: list[Chain], tape: Tape) -> list[Chain]:
    """Those that are no other one's part, buffer or state."""
    chains = _without_dependent(_whole_or_in_parts(chains), tape)
    return _without_buffers(_without_inner(chains, tape.nodes), tape.nodes)


def _takes_its_place(chain: Chain) -> bool:
    """Whether what a single step gives is a version of the array, and not a gradient with a penalty: λp + g."""
    before, after = chain.versions
    return after.used or after.function in PIECEWISE or before in after.parents


def _joined(chains: list[Chain]) -> list[Chain]:
    """Chains of which one goes on where another ends, but for what is done to each entry after a step: weights may
    decay, or be clipped, or masked."""
    by_end: dict[Node, Chain] = {}
    for chain in chains:
        decayed = (n for n in most_of(chain.versions[0]) if n in by_end)
        before = next(decayed, None) or _before_it_was_bounded(chain.versions[0])
        if before is not chain.versions[0] and (first := by_end.pop(before, None)) is not None:
            bounded = (*first.bounded, (before, chain.versions[0]))
            versions, steps = first.versions + chain.versions[1:], first.steps + chain.steps
            chain = Chain(versions, steps, first.written | chain.written, bounded)
        by_end[chain.versions[-1]] = chain
    return sorted(by_end.values(), key=lambda chain: chain.versions[0].number)


_BOUNDING = (np.clip, np.where, np.maximum, np.minimum, np.multiply, np.true_divide)


def _before_it_was_bounded(node: Node) -> Node:
    """The array whose entries were clipped, masked, or scaled to some norm."""
    while node.function in _BOUNDING and (same := [n for n in node.parents if n.shape == node.shape]):
        if node.function in (np.multiply, np.true_divide) and len(node.parents) == 1:
            break  # λW is no version of W
        node = max(same, key=lambda n: n.number)
    return node


def _whole_or_in_parts(chains: list[Chain]) -> list[Chain]:
    """Of an array and its parts (rows, layers) one or the other: the parts, if nothing else of it is ever stepped, and
    none of them is all of it."""
    parts = {node for chain in chains for node in chain.parts}
    whole = [chain for chain in chains if chain.written]
    in_parts = [c for c in whole if c.written <= parts and all(n.size < c.versions[0].size for n in c.written)]
    of_whole = {node for chain in whole if chain not in in_parts for node in chain.written}
    return [chain for chain in chains if chain not in in_parts and not chain.parts & of_whole]


PIECEWISE = (setitem, add_at)  # writes of entries or rows
TOGETHER = 2000  # arrays whose dependents are found in one walk through the record
FAR = 20_000  # operations, after which nothing is a piece of the same step any more


def before_writes(node: Node) -> Iterator[Node]:
    """The array, then what it was before each write of an entry or a row, back to where it was made as a whole."""
    yield node
    while node.function in PIECEWISE:
        node = node.inputs[0]
        yield node


def began_with(node: Node) -> set[Node]:
    """The array before entries and rows were written into it, back to where it was made as a whole, and these: before
    it was stepped."""
    written = list(itertools.takewhile(lambda n: not n.updates, before_writes(node)))
    return {*written, *what_was_written(written)}


def as_read(versions: Sequence[Node], k: int) -> set[Node]:
    """What the forward pass may read of an array: its k-th version, the root of that, and the entries and rows that the
    step before has written into it, or that it began with."""
    version = versions[k]
    if k == 0:
        return {root_of(version), version, *began_with(version)}
    writes = itertools.takewhile(lambda n: n is not versions[k - 1], before_writes(version))
    return {root_of(version), version, *what_was_written(writes)}


def what_was_written(writes: Iterable[Node]) -> set[Node]:
    """The entries and rows that were written into an array, or into its rows."""
    found, made = set[Node](), [n for n in writes if n.function is setitem]
    for node in made:
        if isinstance(value := node.inputs[2], Node):
            found.add(value)
            made += [value] if value.function is setitem else []
    return found


def _find_following(tape: Tape) -> None:
    """Fills `following`, which says of steps and arrays whether the one follows from the other, and `pieces`, for the
    Nodes that have come since: a record is read often."""
    count, new = len(tape.nodes), tape.nodes[tape.read :]
    pairs = [
        (base, step) for n in new if n.function not in PIECEWISE for base, step in n.updates if isinstance(step, Node)
    ]
    for base, step, depends_on_it in _dependents(pairs, tape):
        tape.following[step, base] = follows(step, base, depends_on_it)
    inside = functools.cache(lambda first, before: made_of([first], before.number))
    for node in new if tape.following else ():
        for base, step in node.updates if node.function not in PIECEWISE else ():
            if not isinstance(step, Node):
                continue
            if tape.following.get((step, base)):
                tape.rounds.setdefault(node, (base, step))
            elif base in tape.rounds and _is_piece(step, *tape.rounds[base], tape, inside):
                tape.rounds[node] = tape.rounds[base]
                tape.pieces.add((step, base))
    tape.read = count  # not before: the time may be up meanwhile


def _is_piece(step: Node, before: Node, first: Node, tape: Tape, inside: Callable[[Node, Node], set[Node]]) -> bool:
    """Whether a step is another piece of a first one, made with what that was made with: with the array as it was
    before, and with no other array's new version. The difference of two versions is no step."""
    if step.number - before.number > FAR:
        return False

    def is_another(node: Node) -> bool:
        return node in tape.rounds and node not in inside(first, before)

    found = made_of([step], before.number, until=is_another)
    return step is not before and before in found and not any(map(is_another, found))


def _dependents(pairs: list[tuple[Node, Node]], tape: Tape) -> Iterator[tuple[Node, Node, Callable[[Node], bool]]]:
    """Arrays and steps, with a function that says what follows from the array."""
    steps: dict[Node, list[Node]] = {}
    for base, step in pairs:
        steps.setdefault(base, []).append(step)
    bases = sorted(steps, key=lambda n: n.number)
    for k in range(0, len(bases), TOGETHER):
        block = bases[k : k + TOGETHER]
        last = max(step.number for base in block for step in steps[base])
        bits: dict[Node, int] = {}
        for j, base in enumerate(block):
            for node in (base, *began_with(base)):
                bits[node] = bits.get(node, 0) | 1 << j
        masks = masked(bits, tape.nodes[block[0].number : last + 1])
        for j, base in enumerate(block):
            dependent = _those_with(1 << j, masks)
            yield from ((base, step, dependent) for step in steps[base])


def _those_with(bit: int, masks: dict[Node, int]) -> Callable[[Node], bool]:
    return lambda node: bool(masks.get(node, 0) & bit)


def masked(
    bits: Mapping[Node, int], window: list[Node], ending: Mapping[Node, int] = types.MappingProxyType({})
) -> dict[Node, int]:
    """The bits of the Nodes that each Node of the window depends on, itself included; but for those that end in one on
    the way."""
    masks = dict(bits)
    for node in window:
        mask = 0
        for source in node.sources:
            mask |= masks.get(source, 0)
        if mask := (mask & ~ending.get(node, 0)) | masks.get(node, 0):
            masks[node] = mask
    return masks


def _since(first: Iterable[Node], nodes: list[Node]) -> list[Node]:
    """The record from the first of some Nodes on."""
    return nodes[min((n.number for n in first if n.number >= 0), default=0) :]


def _links(tape: Tape) -> dict[Node, list[tuple[Node, Any]]]:
    """For each version of an array the ones that follow it, with what was added or subtracted."""
    links: dict[Node, list[tuple[Node, Any]]] = {}
    seen: set[Node] = set()
    stack = [node for node in tape.nodes if node.steps]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        for base, step in node.updates if not _is_decay(node) else ():
            if isinstance(step, Node) and (
                node.function in PIECEWISE or tape.following[step, base] or (step, base) in tape.pieces
            ):
                links.setdefault(base, []).append((node, step))
                stack += [base] if base.number >= tape.since else []
                break  # of p and what it is a multiple of, the first that the step depends on
    return links


def _is_decay(node: Node) -> bool:
    """Whether entries are written that are made of the array alone, once it was stepped as a whole: of weights some may
    decay, and no biases."""
    if node.function is not setitem or not isinstance(node.inputs[2], Node):
        return False
    before = node.inputs[0]
    return before.function is not setitem and bool(before.updates) and made_alone_of([node.inputs[2]], {before})


def follows(step: Node, base: Node, depends_on_it: Callable[[Node], bool]) -> bool:
    """Whether a step depends on its array by more than a multiple of it, as weight decay alone would."""
    if not depends_on_it(step):
        return False
    linear, edge, stack = set[Node](), set[Node](), [step]
    while stack:
        node = stack.pop()
        if node is base or node.number < base.number or node in linear or node in edge:
            continue
        if _is_linear(node, base):
            linear.add(node)
            stack += node.sources
        elif depends_on_it(node):
            return True
        else:
            edge.add(node)
    edge -= {n for made in linear for n in made.parents if scaled_by_numbers(made) not in (None, n)}  # recorded rates
    edge |= {n for made in linear for n in made.parents if n.number < base.number and n.shape == base.shape}
    if any(known_zero(n) is False for n in edge):
        return True
    zeros = {n: np.zeros(n.shape) for n in (base, *edge) if n is base or n.zero}
    return bool(np.asarray(Values(zeros)(step)).any())


def _is_linear(node: Node, base: Node) -> bool:
    scaled = scaled_by_numbers(node) is not None or node.function is np.negative
    return node.shape == base.shape and (scaled or node.function in (np.add, np.subtract))


def _built(links: dict[Node, list[tuple[Node, Any]]], tape: Tape) -> list[Chain]:
    # Of several things that may follow a version, the next version is the one that most versions follow in turn.
    depth: dict[Node, int] = {}
    for base in sorted(links, key=lambda n: -n.number):
        links[base].sort(key=lambda link: (-depth.get(link[0], 0), base not in link[0].parents))
        depth[base] = 1 + depth.get(links[base][0][0], 0)
    following = {base: found[0] for base, found in links.items()}
    in_pieces = any(node.function in PIECEWISE for node, _ in following.values())
    rounds = _rounds(following.values()) if in_pieces else {}
    later = {node for node, _ in following.values()}
    roots = [root for root in following if root not in later]
    made_from = _made_from(roots, following, tape.nodes) if in_pieces else {}
    chains = [
        _chain_from(root, following, rounds, tape.pieces, _those_with(1 << k, made_from))
        for k, root in enumerate(roots)
    ]
    return sorted((chain for chain in chains if chain.steps), key=lambda chain: chain.versions[0].number)


def _made_from(roots: list[Node], following: dict[Node, tuple[Node, Any]], nodes: list[Node]) -> dict[Node, int]:
    """For each Node the arrays that it was made from, as they were at first or by then; a row may be as it was from the
    first on."""
    bits: dict[Node, int] = {}
    for k, root in enumerate(roots):
        current: Node | None = root
        made = {root, root_of(root), *began_with(root)}
        while current is not None:
            for node in made:
                bits[node] = bits.get(node, 0) | 1 << k
            current = following[current][0] if current in following else None
            made = _made_by(current) if current is not None else set()
    return masked(bits, _since(bits, nodes))


def _rounds(writes: Iterable[tuple[Node, Any]]) -> dict[Node, int]:
    """For each write of an entry or a row the number of the step that it is a part of.

    A step ends where an instruction that has written in it writes again, after later ones have or with what follows
    from its own, and what is written from there on until that happens again follows from what has been written since it
    did so first: so all rows of an example are one step, and all entries of a matrix.
    """
    rounds: dict[Node, int] = {}
    number = -1
    order: dict[Node, int] = {}  # of what has been written in this step
    first: dict[object, tuple[int, int]] = {}  # what each instruction wrote first: its place in that order, its number
    turns: dict[object, int] = {}  # in which order the instructions of this step wrote first
    stretch: list[tuple[Node, Any]] = []
    inside: dict[object, set[Node]] = {}  # what each instruction has written in this stretch

    def close() -> None:
        nonlocal number
        again = ((step, *first[node.instruction]) for node, step in stretch if node.instruction in first)
        if number < 0 or any(
            order.get(n, -1) >= since for step, since, least in again for n in made_of(nodes_in(step), least)
        ):
            number += 1
            order.clear()
            first.clear()
            turns.clear()
        for node, _ in stretch:
            rounds[node] = number
            turns.setdefault(node.instruction, len(turns))
            made = _made_by(node)
            first.setdefault(node.instruction, (len(order), min(n.number for n in made)))
            for n in made:
                order.setdefault(n, len(order))
        stretch.clear()
        inside.clear()

    in_order = sorted(writes, key=lambda write: write[0].number)
    rows = {n for node, _ in in_order if node.function is setitem for n in nodes_in(node.inputs[2])}
    for node, step in in_order:
        of_row = bool(stretch) and node.function is setitem and node.inputs[2] is stretch[-1][0]
        own = inside.get(node.instruction) if not of_row else None
        turn = turns.setdefault(node.instruction, len(turns))
        back = bool(stretch) and not of_row and turn < turns[stretch[-1][0].instruction]
        # An array as a whole is stepped again, or with what follows from the entries that have been written.
        whole = node.function not in PIECEWISE and node not in rows
        again = whole and (node.instruction in first or _is_made_of(step, inside.values()))
        if stretch and (again or back or (own and made_of(nodes_in(step), stretch[0][0].number) & own)):
            close()
            turns.setdefault(node.instruction, len(turns))
        stretch.append((node, step))
        inside.setdefault(node.instruction, set()).update(_made_by(node))
    if stretch:
        close()
    return rounds


def _is_made_of(step: Any, written: Iterable[set[Node]]) -> bool:
    """Whether anything that has been written is a part of a step."""
    nodes = set[Node]().union(*written)
    return bool(nodes) and not nodes.isdisjoint(made_of(nodes_in(step), min(n.number for n in nodes)))


def _made_by(node: Node) -> set[Node]:
    """The version of an array that a write makes, and what it holds there now, if that is known."""
    return {node, *(nodes_in(node.inputs[2]) if node.function is setitem else ())}


def _chain_from(
    root: Node,
    following: dict[Node, tuple[Node, Any]],
    rounds: dict[Node, int],
    pieces: set[tuple[Node, Node]],
    follows_from_it: Callable[[Node], bool],
) -> Chain:
    """Follow an array's versions, each stepped by something that depends on the version before, or by pieces of it."""
    versions, steps = [root], []
    part: list[Any] = []
    written: set[Node] = set()
    current = root
    while current in following:
        node, step = following[current]
        whole = node.function not in PIECEWISE and (step, current) not in pieces
        if part and (whole or (node.function in PIECEWISE and rounds[node] != rounds.get(current))):
            versions.append(current)
            steps.append(tuple(part))
            part = []
        if node.function in PIECEWISE and not follows_from_it(step):
            break
        part.append(step)
        written.update(_made_by(node) - {node})
        current = node
    if part:
        versions.append(current)
        steps.append(tuple(part))
    return Chain(tuple(versions), tuple(steps), frozenset(written))


def _without_dependent(chains: list[Chain], tape: Tape) -> list[Chain]:
    """A momentum depends on the parameters that it is made for: it is none of them, unless they were numbers until it
    was made. What was made earlier counts for nothing: by then they depend on it as well."""
    chains = sorted(chains, key=lambda c: c.versions[0].number)
    bits = {c.versions[0]: 1 << j for j, c in enumerate(chains) if c.versions[0].number >= tape.since}
    masks = masked(bits, _since(bits, tape.nodes))
    kept = 0
    for j, chain in enumerate(chains):
        others = places_of_ones(masks.get(chain.versions[0], 0) & kept)
        if all(_is_momentum(chains[k], chain) for k in others):
            kept |= 1 << j
    return [chains[j] for j in places_of_ones(kept)]


def _without_inner(chains: list[Chain], nodes: list[Node]) -> list[Chain]:
    """A value that is added to while another array makes a single step (a residual, a state) is no parameter."""
    last = {chain.versions[-1]: 1 << j for j, chain in enumerate(chains)}
    masks = masked(last, _since(last, nodes))
    around: list[list[int]] = [[] for _ in chains]  # the chains within one step of which it is made
    for j, other in enumerate(chains):
        for before, after in itertools.pairwise(other.versions):
            for k in places_of_ones(masks.get(after, 0)):
                first, end = chains[k].versions[1], chains[k].versions[-1]
                if before.number < first.number and end.number < after.number:
                    around[k].append(j)
    # What is one itself says nothing of others: data that blocks add to, round after round, have no steps.
    return [chain for chain, outer in zip(chains, around, strict=True) if all(around[k] for k in outer)]


def places_of_ones(bits: int) -> Iterator[int]:
    """Which bits are set, the lowest first."""
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _without_buffers(chains: list[Chain], nodes: list[Node]) -> list[Chain]:
    """What an optimiser keeps of its own is no parameter: a momentum, of whose new version another array's step is a
    multiple; any other array that steps need for its new version only."""
    versions, old, new = (defaultdict[Node, int](int) for _ in range(3))  # a bit for each chain
    for k, chain in enumerate(chains):
        old[chain.versions[0]] |= 1 << k
        new[chain.versions[1]] |= 1 << k
        for version in chain.versions:
            versions[version] |= 1 << k
    window = _since(versions, nodes)
    of_any, of_new, of_old = masked(versions, window), masked(new, window), masked(old, window, new)

    def bits(masks: dict[Node, int], found: Iterable[Any]) -> int:
        return functools.reduce(operator.or_, (masks.get(n, 0) for n in nodes_in(found)), 0)

    used = [bits(of_any, c.steps[:2]) for c in chains]
    buffers = _momenta(chains)
    for k, chain in enumerate(chains):
        others = bits(of_new, chain.steps[0]) & ~(1 << k)
        as_they_were = bits(of_old, (chain.versions[0], *chain.steps[0]))
        for j in places_of_ones(others):
            if not used[j] >> k & 1:  # it needs the other one, which has no use for it
                buffers.add(k)
            if not as_they_were >> j & 1:  # what an optimiser keeps may begin with the first step
                buffers.add(j)
    return [chain for k, chain in enumerate(chains) if k not in buffers]


def _momenta(chains: list[Chain]) -> set[int]:
    """Which of them another array is stepped with, by a multiple of what they are by then."""
    parts: dict[Node, list[int]] = defaultdict(list)
    for k, chain in enumerate(chains):
        for part in chain.parts:
            parts[part].append(k)
    return {k for j, chain in enumerate(chains) for n in _stepped_with(chain) for k in parts.get(n, ()) if k != j}


def _is_momentum(chain: Chain, other: Chain) -> bool:
    """Whether another array is stepped with a multiple of what this one is by then, or of an entry of that."""
    return any(n in chain.parts for n in _stepped_with(other))


def _stepped_with(chain: Chain) -> Iterator[Node]:
    """What its first step is a multiple of, and the arrays of which those are entries."""
    for n in (n for part in nodes_in(chain.steps[0]) for n in multiples(part)):
        yield n
        if n.name == "getitem" and isinstance(n.inputs[0], Node):
            yield n.inputs[0]


def networks(chains: list[Chain]) -> list[list[Chain]]:
    """Arrays whose steps depend on each other, the largest network first; of two as large, that which is stepped more
    often. What is stepped with the new version of an array, and never with the old one, is another network: that which
    is to deceive the one that has just been stepped, say."""
    old, new = defaultdict[Node, set[int]](set), defaultdict[Node, set[int]](set)
    for k, chain in enumerate(chains):
        old[chain.versions[0]].add(k)
        for version in chain.versions[1:]:
            new[version].add(k)
    tied, apart = [set[int]() for _ in chains], [set[int]() for _ in chains]
    for k, chain in enumerate(chains):
        inside = made_of(nodes_in(chain.steps[0]), until=new.__contains__)
        with_old, with_new = (set[int]().union(*(of[n] for n in of.keys() & inside)) for of in (old, new))
        for pairs, others in ((tied, with_old), (apart, with_new - with_old)):
            pairs[k] |= others
            for other in others:
                pairs[other].add(k)
    groups: list[list[int]] = []
    for k in range(len(chains)):
        is_tied = [not tied[k].isdisjoint(group) and apart[k].isdisjoint(group) for group in groups]
        joined = [j for group in itertools.compress(groups, is_tied) for j in group]
        groups = [g for g, others in zip(groups, is_tied, strict=True) if not others] + [[*joined, k]]
    found = [[chains[k] for k in group] for group in groups]
    return sorted(found, key=lambda g: (-len(g), -sum(c.versions[0].size for c in g), -max(len(c.steps) for c in g)))


def at_once(network: list[Chain], k: int) -> bool:
    """Whether all arrays make their k-th step together, from versions that the forward pass before it has used.

    Rows that are picked one by one are stepped at different times, and no forward pass belongs to all such steps.
    """
    before, after = (max(root_of(chain.versions[j]).number for chain in network) for j in (k, k + 1))
    first = min(chain.versions[k + 1].number for chain in network)
    following = min(
        (chain.versions[k + 2].number for chain in network if len(chain.versions) > k + 2), default=after + 1
    )
    used = all(any(depends(n, *as_read(c.versions, k)) for n in nodes_in(c.steps[k])) for c in network)
    return before < first and after < following and used and (k == 0 or _in_step(network, k))


def _in_step(network: list[Chain], k: int) -> bool:
    """Whether no array makes its k-th step with others as they were before their k-th version: some may begin late, and
    what began as a number was stepped by them as they were then."""
    begin = min(chain.versions[0].number for chain in network)
    # … but for 1, as in 1 + exp(−z).
    made = [made_of(nodes_in(c.steps[k]), begin, until=lambda n: began_as(n) not in (None, 1.0)) for c in network]
    read = [as_read(c.versions, k) for c in network]
    return all(
        not now.isdisjoint(inside) or c.versions[0] not in inside
        for inside in made
        for c, now in zip(network, read, strict=True)
    )


def began_as(node: Node, anything: bool = False) -> float | None:
    """The number that an array was before it was stepped once: `b = 0`, `b = b - rate * db`; None if it was none. It is
    0 unless the array is a scalar, or may be `anything`: γ = 1, or 1 − x."""
    if node.function not in (np.add, np.subtract):
        return None
    numbers = [i.value if isinstance(i, Node) and i.function is None and not i.shape else i for i in node.inputs[:2]]
    plain = [n for n in numbers if not isinstance(n, Node) and np.shape(n) == () and np.isrealobj(n)]
    return float(plain[0]) if len(plain) == 1 and (anything or node.shape == () or not plain[0]) else None
