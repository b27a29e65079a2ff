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
    for p in dict.fromkeys(p for step in steps for p in step.parameters):
        later = tape.nodes[p.after.number + 1 :]
        if not _begins_anew(_first(p.before), later):
            continue
        inside = made_of(nodes_in(p.steps)).difference(p.versions)
        stepped = {base for node in later for base, _ in node.updates if base in inside}
        if not all(_begins_anew(_first(base), later) for base in stepped):
            found |= {node.instruction for node in (*p.versions[1:], *p.writes)}
    return frozenset(instruction for instruction in found if instruction is not None)


def _begins_anew(first: Node, later: list[Node]) -> bool:
    """Whether the instruction that made the first version of an array makes another one later, which is no version of
    it."""
    return any(node.site == first.site and first is not _first(node) for node in later)


def _first(version: Node) -> Node:
    return list(versions_until(version))[-1]
