"""What a forward pass carries from round to round, and was taken for what is trained: s + dt f(s, w), say, which begins
anew in each pass, while w goes on, and is stepped once the pass is done.
"""

from __future__ import annotations

from jaxnet.compare.author.node import Instruction, Node, made_of, nodes_in
from jaxnet.compare.author.step import Step
from jaxnet.compare.author.tape import Tape
from jaxnet.compare.author.updates import versions_until


def states_of(steps: list[Step], tape: Tape) -> frozenset[Instruction]:
    """The author's instructions that step what is a state: it begins anew, and is stepped by what is made of an array
    that is stepped as well, and goes on."""
    found: set[Instruction | None] = set()
    parameters = list(dict.fromkeys(p for step in steps for p in step.parameters))
    later = tape.nodes[min((p.after.number for p in parameters), default=0) + 1 :]
    anew = _last_begun({_first(p.before) for p in parameters}, later)
    for p in (p for p in parameters if anew.get(_first(p.before), 0) > p.after.number):
        inside = made_of(nodes_in(p.steps)).difference(p.versions)
        stepped = {_first(base) for node in later for base, _ in node.updates if base in inside}
        begun = _last_begun(stepped, later)
        goes_on = [first for first in stepped if begun.get(first, 0) <= p.after.number]
        if any(made_of([first]).isdisjoint(anew) for first in goes_on):  # a part of what begins anew does so too
            found |= {node.instruction for node in (*p.versions[1:], *p.writes)}
    return frozenset(instruction for instruction in found if instruction is not None)


def _last_begun(firsts: set[Node], later: list[Node]) -> dict[Node, int]:
    """For first versions of arrays the number of the last Node that the same instruction makes, and that is no version
    of them: the array begins anew there."""
    sites = {first.site for first in firsts}
    last = {node.site: node.number for node in later if node.site in sites and _first(node) not in firsts}
    return {first: last[first.site] for first in firsts if first.site in last}


def _first(version: Node) -> Node:
    return list(versions_until(version))[-1]
