"""What the ways of running a file have said, one after the other, and which of that is the answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from jaxnet.compare.author import places
from jaxnet.compare.author.attempts import Attempt
from jaxnet.compare.author.edits import file_and_cell
from jaxnet.compare.author.idle import idle_in
from jaxnet.compare.author.inside import NothingTrains
from jaxnet.compare.author.judged import Judged
from jaxnet.compare.author.lines import where
from jaxnet.compare.author.outcome import Outcome
from jaxnet.compare.author.reasons import IS_JUDGED, TRAINS, Reason, told
from jaxnet.compare.author.repair import Examined
from jaxnet.compare.author.step import Step

NO_ANSWER = "nothing is wrong in it, but that is no answer to what the program itself does"
SEVERAL = "run with one output; with several the gradient of {} would be wrong"
SMALLER = "with smaller sizes the gradient of {} would be wrong, as they may make it, and with its own it is too large"
FURTHER = 10.0  # seconds after which no further program is run for what a first one leaves out


class Found(NamedTuple):
    """A way of running the code, and what was found out about its step."""

    attempt: Attempt
    examined: Examined
    sent_back: Judged | None  # as in Outcome
    idle: tuple[str, ...]  # backward passes of the file that have no part in it


Others = list[tuple[Step, str]]  # steps of the same run, and why they could not be judged: "" for those that are right


@dataclass
class OfRun:
    """What is not wrong in one run, or in one function after the other: it is the answer where all has been seen."""

    networks: list[Found] = field(default_factory=list)  # right
    beside: Others = field(default_factory=list)  # why nothing could be said of the others
    astray: list[Step] = field(default_factory=list)  # those of them that are stepped by what nobody knows
    wrong: bool = False  # and one is wrong, on labels whose shape was guessed: what is right beside it acquits nobody


class Answer:
    """The answer on a file at `path` below `root`, while the ways of running it are weighed one by one."""

    def __init__(self, path: Path, root: Path, reasons: list[Reason]) -> None:
        self.path, self.root, self.reasons = path, root, reasons
        self.began = time.monotonic()
        self.wrong: Found | None = None
        self.guess: Found | None = None  # wrong, on labels whose shape was guessed
        self.in_part: Found | None = None  # right, but other backward passes of the file have no part in it
        self.of_run = OfRun()
        self.layers: list[Found] = []  # each by itself, and right: all of them must be
        self.several: list[str] = []  # what is said of a network with several outputs, if it may have one
        self.beside = ""  # what is right in the run that has no verdict
        self.trains = False
        self.unsure = False  # of a layer
        self.unexplained = False  # something trains by what nobody knows …
        self.of_itself = False  # … the program itself does

    def weigh(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Whether what comes after this attempt may say more."""
        if self.guess is not None and not attempt.guessed:
            return False
        if attempt.called and attempt.program in [network.attempt.program for network in self.of_run.networks]:
            return True  # on data of another shape
        self.trains |= bool(attempt.steps)
        if attempt.call.tentative and (outcome.judged is None or outcome.judged.findings):
            wrong = outcome.judged.wrong if outcome.judged is not None else []
            self.several = [SEVERAL.format(", ".join(wrong))] if wrong else []
            return True
        in_time = outcome.in_time or attempt.can_be_smaller or (attempt.guessed and self.guess is None)
        idle = idle_in(self.path, self.root, outcome.judged.step) if outcome.judged is not None else ()
        outcome = self._if_it_answers(attempt, outcome, idle)
        by_what_nobody_knows = outcome.unexplained and any(map(_trains, attempt.steps))
        self.unexplained |= by_what_nobody_knows
        self.of_itself |= by_what_nobody_knows and attempt.program is None
        if outcome.judged is None:
            self._note(attempt, outcome)
            return self._goes_on(attempt, in_time)
        notes = [outcome.note] * bool(outcome.note)
        if attempt.called and not outcome.judged.wrong:
            notes += self.several
        attempt = attempt._replace(notes=attempt.notes + notes)
        examined = Examined(outcome.judged, attempt.tape, attempt.way, attempt.ordinal)
        found = Found(attempt, examined, outcome.sent_back, idle)
        if outcome.judged.wrong:
            return self._accuse(found, in_time)
        parts = [found._replace(examined=examined._replace(judged=part)) for part in outcome.parts]
        return self._acquit(found, parts, in_time)

    def found(self, late: bool) -> tuple[Found, Others]:
        """The answer. Raises ValueError, of one line, if there is none: NothingTrains if no way made a step, and that
        was not for want of time."""
        if found := self.wrong or self.guess or self.in_part:
            return found, []
        if self.of_run.networks:
            return _of_networks(self.of_run)
        if self.layers and not self.unsure:
            return _of_layers(self.layers), []
        kind = ValueError if self.trains or late else NothingTrains
        raise kind(f"no verdict: {self.beside}{told(self.reasons, self.path.name) or 'nothing in it trains'}")

    def _if_it_answers(self, attempt: Attempt, outcome: Outcome, idle: tuple[str, ...]) -> Outcome:
        """What came of it; or why a verdict, that is none on what the program itself does, is no answer."""
        if (judged := outcome.judged) is None:
            return outcome
        elsewhere = self.of_itself and attempt.program is not None  # another program may train it without a penalty
        if not judged.wrong and (elsewhere or (attempt.called and (self.unexplained or (attempt.unread and idle)))):
            return Outcome(why=NO_ANSWER)
        # How many there are may be written out, or be in a number that is computed.
        fewer = attempt.way.guess.few_rows or attempt.way.guess.smaller
        of_numbers = fewer and any(f.code == "wrong-scale" for f in judged.findings)
        if judged.findings and (attempt.off_by_sizes or of_numbers):
            why = SMALLER.format(", ".join(judged.wrong[:3]) or "all")
            return Outcome(why=why, unexplained=True)
        if measure := places.measure_among(judged, attempt.tape.losses | attempt.tape.numbers):
            return Outcome(why=measure, unexplained=True)  # the only loss that the file has
        return outcome

    def _note(self, attempt: Attempt, outcome: Outcome) -> None:
        """Why there is no verdict on an attempt."""
        if attempt.steps:
            far = TRAINS if attempt.call.alone else IS_JUDGED
            self.reasons.append(Reason(attempt.program or self.path.name, outcome.why, far, outcome.too_much))
        self.unsure |= attempt.call.alone
        doubted = [step for step in attempt.steps[:1] if _trains(step) and not attempt.call.alone]
        self.of_run.beside += [(step, f"which may be wrong: {outcome.why}") for step in doubted]
        self.of_run.astray += doubted if outcome.unexplained else []

    def _accuse(self, found: Found, in_time: bool) -> bool:
        attempt = found.attempt
        if self.in_part is not None and found.idle == self.in_part.idle:
            return True  # another program's affair
        # A network of another file, in a program that also trains what this one makes.
        if self.of_run.networks and attempt.program and _is_of_others(found, self.path):
            self.of_run.beside.append((found.examined.judged.step, "whose gradients are wrong by lines of other files"))
            return self._goes_on(attempt, in_time)
        if attempt.guessed:
            self.guess = self.guess or found
            self.of_run = replace(self.of_run, wrong=True) if attempt.more else OfRun()
            return True
        self.wrong = found
        return False

    def _acquit(self, found: Found, parts: list[Found], in_time: bool) -> bool:
        attempt, idle = found.attempt, found.idle
        is_of_another = attempt.program and not attempt.called and not attempt.more
        if idle and is_of_another and time.monotonic() < self.began + FURTHER:
            if self.in_part is None or len(idle) < len(self.in_part.idle):
                self.in_part = found
            return True
        (self.layers if attempt.call.alone else self.of_run.networks).extend([found, *parts])
        return self._goes_on(attempt, in_time)

    def _goes_on(self, attempt: Attempt, in_time: bool) -> bool:
        """Whether there is no answer yet, after an attempt of which nothing is wrong."""
        if self.in_part is not None and attempt.called:
            return False
        networks, ended = self.of_run.networks, not attempt.more
        if networks and ended and self.of_run.astray:
            self.beside = f"what {where(networks[0].examined.judged.step.parameters[-1].after)} steps is right, and "
            self.of_run = OfRun()  # what is right beside what may be wrong acquits nobody
            return False
        if networks and (ended or not in_time) and not self.of_run.wrong:
            self.guess = self.in_part = None  # with labels of this shape it is right
            return False
        if ended:
            self.of_run = OfRun()
        return in_time


def _trains(step: Step) -> bool:
    """Whether it meets labels, or is made more than once by one instruction: a picture of weights is scaled once, by
    what is in it, and so is each column of data."""
    made = ([version.instruction for version in p.versions[1:]] for p in step.parameters)
    return bool(step.examples) or any(len(set(by)) < len(by) for by in made)


def _is_of_others(found: Found, asked: Path) -> bool:
    """Whether all that is wrong is so by lines of other files than the one that was asked for."""
    files = [place.file for place in places.report(found.examined.judged, "", None, found.attempt).places]
    return all(file is not None and not asked.match(file_and_cell(file)[0]) for file in files)


def _of_networks(of_run: OfRun) -> tuple[Found, Others]:
    """The first of networks that are right, and what is said of the others."""
    found, *further = of_run.networks
    judged = [network.examined.judged for network in further]
    others = [(one.step, "whose gradients are right but for a constant" if one.findings else "") for one in judged]
    idle = tuple(name for name in found.idle if all(name in network.idle for network in of_run.networks))
    return found._replace(idle=idle), others + of_run.beside


def _of_layers(layers: list[Found]) -> Found:
    """Of lone layers that are all right the one with most parameters, or one that is off by a constant."""
    if scaled := [found for found in layers if found.examined.judged.findings]:
        return scaled[0]
    most = max(layers, key=lambda found: len(found.examined.judged.names))
    program = "; ".join(dict.fromkeys(str(found.attempt.program) for found in layers))
    idle = tuple(name for name in most.idle if all(name in found.idle for found in layers))
    return most._replace(attempt=most.attempt._replace(program=program), idle=idle)
