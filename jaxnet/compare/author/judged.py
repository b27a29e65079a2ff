"""What was found out about a step, and the errors that say why there is no verdict."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from jaxnet.compare.author.dense import Dense
from jaxnet.compare.author.lines import where
from jaxnet.compare.author.node import Node
from jaxnet.compare.author.replay import Values
from jaxnet.compare.author.step import Parameter, Step
from jaxnet.compare.author.truth import Truth
from jaxnet.compare.diagnosis import Diagnosis, Finding, Problem
from jaxnet.compare.teeth import Teeth

Array = np.ndarray


class Unexplained(ValueError):
    """The gradients are those of no loss that the program computes or implies, but for a reading that may be meant."""


class Unproved(Unexplained):
    """The gradients are those of no loss and no formula, and nothing else that may be meant was found either."""


class Kept(Unexplained):
    """The gradients are right if what is made with arrays that are kept from step to step is a constant."""


class Remade(Unexplained):
    """A gradient is right, and what is stepped with is made of it: as optimisers do, or by mistake, which may not show
    in another step, of other examples."""


class Astray(Unexplained):
    """Gradients are right, and what is beside them is in doubt, however the step is read: what is made of one is not
    what optimisers make, the labels are not those of the loss, or another number is computed once the step is made."""


class Uphill(ValueError):
    """All steps go up the `number` that is taken for the loss."""

    def __init__(self, number: Node) -> None:
        super().__init__(
            f"all steps go uphill on the number of {where(number)}: right if it is no loss, but to be made large"
        )
        self.number = number


class Tied(ValueError):
    """Several numbers are the largest, and it matters which of them the program follows."""


class Judged(NamedTuple):
    """What was found out about a step."""

    step: Step
    drawn: list[Values]
    truth: Truth
    names: dict[str, Parameter]
    given: dict[str, list[Array]]  # the gradients that are judged, in each draw
    chosen: dict[str, Node | None]  # the Nodes that hold them
    made: dict[str, Node | None]  # the first Nodes of their size, of which they were made
    true: dict[str, list[Array]]
    wrong: list[str]
    scale: float  # the constant that all right ones share
    dense: Dense | None
    problem: Problem | None
    diagnosis: Diagnosis | None
    findings: list[Finding]
    proof: str = ""  # by what a wrong gradient is proved wrong
    teeth: Teeth | None = None  # of a right step: which mistakes would have shown
    also: Step | None = None  # another step of the same arrays, which is right as well
    kept: Node | None = None  # what is made for the step after a right one, and a constant there, as it was in this one

    @property
    def recorded(self) -> Values:
        """The numbers that the program had; of a large data set they are computed once."""
        return self.drawn[0].others or Values()

    @property
    def has_own_loss(self) -> bool:
        """Whether a line of the program's computes the loss: lone layers have one of ours."""
        return self.truth.loss.node is not None and self.truth.loss.node.place is not None

    @property
    def is_certain(self) -> bool:
        """Whether what is wrong is so whatever else the step may be: by a formula, or by a loss with a name."""
        return self.proof == "formula" or bool(self.step.examples and self.truth.loss.name)
