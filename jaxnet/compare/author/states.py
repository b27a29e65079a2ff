"""What a forward pass carries from round to round, and was taken for what is trained: s + dt f(s, w), say, which begins
anew in each pass, while w goes on, and is stepped once the pass is done.
"""

from __future__ import annotations

from jaxnet.compare.author.step import Step
from jaxnet.compare.author.tape import Instruction, Node, Tape, made_of, nodes_in, versions_until


def states_of(steps: list[Step], tape: Tape) -> frozenset[Instruction]:
    """The author's instructions that step what is a state: it begins anew, and is stepped by what is made of an array
    that is stepped as well, and goes on."""
    found: set[Instruction | None] = set()
    parameters = list(dict.fromkeys(p for step in steps for p in step.parameters))
    later = tape.nodes[max((p.after.number for p in parameters), default=0) + 1 :]
    anew = _begun_anew({_first(p.before) for p in parameters}, later)
    for p in (p for p in parameters if _first(p.before) in anew):
        inside = made_of(nodes_in(p.steps)).difference(p.versions)
        stepped = {_first(base) for node in later for base, _ in node.updates if base in inside}
        if stepped - _begun_anew(stepped, later):
            found |= {node.instruction for node in (*p.versions[1:], *p.writes)}
    return frozenset(instruction for instruction in found if instruction is not None)


def _begun_anew(firsts: set[Node], later: list[Node]) -> set[Node]:
    """Those first versions of arrays of which the instruction makes another one later, which is no version of it."""
    of_site = {first.site: first for first in firsts}
    pairs = ((of_site[node.site], node) for node in later if node.site in of_site)
    return {first for first, node in pairs if _first(node) is not first}


def _first(version: Node) -> Node:
    return list(versions_until(version))[-1]
