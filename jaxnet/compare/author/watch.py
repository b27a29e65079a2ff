"""Looks for the training step while a program runs, and ends the run where there is nothing more to see."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Collection
from typing import NamedTuple, NoReturn

import numpy as np

from jaxnet.compare.author.chains import before_writes
from jaxnet.compare.author.edits import file_and_cell
from jaxnet.compare.author.names import names_in, names_in_frames
from jaxnet.compare.author.node import MOVING, Instruction, Node, Place, depends, made_of, nodes_in
from jaxnet.compare.author.program import TIME_IS_UP, Ran, shorten
from jaxnet.compare.author.reasons import BREAKS_OFF, TRAINS, TRAINS_NOTHING, Reason
from jaxnet.compare.author.recorder import begin_anew, recording
from jaxnet.compare.author.replay import Values, is_zero
from jaxnet.compare.author.search import find_steps, steps_by_hand
from jaxnet.compare.author.step import NOTHING, NoLoss, NoStep, Parameter, Step, held_in
from jaxnet.compare.author.tape import NOTHING_PLANTED, Another, Enough, Planted, Tape
from jaxnet.compare.author.updates import is_by_0, scaled_by_numbers

NODES = 300_000  # that are recorded at most
ANEW = 3  # times that the record begins anew where it is full
LOOKING = 0.25  # of the time that a program has run, within which it is looked for steps
TIMES = 3  # that the same lines make a step of what is trained
NETWORKS = 4  # of one program that are judged at most


class Network(NamedTuple):
    """The ways to read the step of a network, and the names that its arrays had then."""

    steps: list[Step]
    names: dict[Node, list[str]]


class Watch:
    """Looks for steps while the program runs: of each network of the file that is asked for, told apart by what its
    steps are made of, and in which lines. Where no file is asked for, the first ends the run."""

    def __init__(
        self,
        deadline: float,
        asked: str = "",
        planted: Planted = NOTHING_PLANTED,
        states: Collection[Instruction] = (),
        whole: bool = True,
    ):
        self.tape, self.asked, self.deadline = Tape(NODES, deadline, planted, states), asked, deadline
        self.tape.on_step, self.tape.on_full = self, self._begin_anew
        self.tape.multiplies = whole  # else what prepares data over and over is not recorded
        self.found: list[Network] = []
        self.elsewhere = False  # whether something was trained that the asked file has no part in
        self.unread = False  # whether arrays are stepped, by what nobody could read
        self.made: set[tuple] = set()  # operations, with their lines, that make the steps that have been found
        self.left_out: set[object] = set()  # instructions that have multiplied by 0 in them
        self.began = time.monotonic()
        self.began_running = time.process_time()  # what else the machine does is to change no verdict
        self.looked = 0.0  # seconds, for steps
        self.beside = False  # whether there may be other networks in that round
        self.trained: list[Step] = []  # the steps that are made in it
        # Arrays of networks whose training was ended, where these began, and where their steps.
        self.left: dict[Node, tuple[int, int]] = {}
        self._forget()

    def __call__(self, node: Node) -> None:
        if self.tape.planted.numbers:  # what is trained is known
            if node.number in self.tape.planted.ended:
                self._forget()
                raise self.tape.planted.ended[node.number]
            return
        count = len(self.tape.nodes)
        if self.last is not None:
            if node.place == self.last or count > self.next_look:
                self._go_on(node)
            return
        next_look = self.next_look_there if node.place in self.awaited else self.next_look
        if count < max(next_look, self.next_look_at.get(node.places, 0)):
            return
        now = time.process_time()
        if self.looked > LOOKING * (now - self.began_running) + 1:
            return
        # A row that is stepped may be as it was before any other one was.
        made = [(step, list(before_writes(base))[-1]) for base, step in node.updates if isinstance(step, Node)]
        if not any(depends(step, base) or is_zero(step, Values()) for step, base in made):
            self.next_look_at[node.places] = int(1.05 * count)  # a look at the values takes long
            self.looked += time.process_time() - now
            return
        networks = find_steps(self.tape)
        try:
            steps = next(networks)
        except NoStep:
            steps = []
        self.looked += time.process_time() - now
        if not steps or not (steps[0].stale or any(map(_is_repeated, steps[0].parameters))) or self._is_early(steps[0]):
            self.next_look, self.next_look_there = int((1.5 if steps else 1.25) * count) + 20, int(1.05 * count)
            self.awaited = {p.after.place for step in steps[:1] for p in step.parameters}
            return
        if self.asked and not concerns(steps[0], self.asked):
            self.elsewhere = True
            self._leave(node, steps[:1], "it trains what was not asked for")
        names = names_in_frames(sys._getframe(1))
        self._keep(steps, names)
        if not self.asked or len(self.found) == NETWORKS:
            self.tape.is_cut = True
            raise Enough
        self._keep_by_hand(names)
        # What is trained further is to begin with all that this round of the loop changes.
        self.trained = [of_network[0] for of_network in (steps, *networks)]
        self.beside = len(self.trained) > 1
        stepped = (p.after for step in self.trained for p in step.parameters)
        self.last, self.next_look = max(stepped, key=lambda n: n.number).place, int(1.5 * count) + 20
        if node.place == self.last:
            self._go_on(node)

    def _is_early(self, step: Step) -> bool:
        """Whether the step is made with arrays of the forward pass that have been stepped themselves: blocks add to
        data, pass after pass, while their weights have not made three steps yet."""
        known = {version for p in step.parameters for version in p.versions}
        forward = made_of([*(example.prediction for example in step.examples), *step.losses])
        inside = made_of(n for p in step.parameters for n in nodes_in(p.steps)) & step.labelled
        began = {n for n in forward - known if n.function is None or scaled_by_numbers(n) is not None}
        updates = (
            (made, p) for node in inside - known for p, made in node.updates if p in began and isinstance(made, Node)
        )
        return any(map(self.tape.following.get, updates))

    def _keep(self, steps: list[Step], names: dict[Node, list[str]], beside: bool = False) -> None:
        """Keeps a network whose step is made by other lines than those that are kept already, or with what they have
        multiplied by 0; or of other arrays, and of more or fewer: of layers that others have, too. A state that is
        carried through the forward pass of one is none. Of one that is trained beside others the lines count with
        those that they are called from: a layer's may be for both."""
        inside = made_of(p.after for p in steps[0].parameters) - {p.before for p in steps[0].parameters}
        # A view is made where it is first used, or where it stands.
        inside = {n for n in inside & steps[0].active if n.function not in MOVING}
        operations = {(n.place, n.function) for n in inside}
        stepped = {(p.after.place, p.after.function) for p in steps[0].parameters}
        called = {(n.places, n.function) for n in (*inside, *(p.after for p in steps[0].parameters))}
        known = [network.steps[0] for network in self.found]
        held = held_in(p for step in known for p in step.parameters)
        forward = {(n.place, n.function) for step in known for n in step.forward if n not in held}
        counting = {n.instruction for n in inside if not is_by_0(n)}
        made = called if beside else operations | stepped
        count, counts = len(steps[0].parameters), {len(network.steps[0].parameters) for network in self.found}
        again = not self.left.keys().isdisjoint(made_of(p.root for p in steps[0].parameters))
        is_new = not made <= self.made or not self.left_out.isdisjoint(counting)
        is_new |= not again and count not in counts
        if is_new and not stepped <= forward and len(self.found) < NETWORKS:
            self.found.append(Network(steps, {**self.tape.names, **names}))
            self.made |= operations | stepped | called
            self.left_out |= {n.instruction for n in inside if is_by_0(n)}
            self.left_out -= counting

    def _keep_by_hand(self, names: dict[Node, list[str]]) -> None:
        """Keeps networks that are stepped once, beside the one that was found."""
        for steps in steps_by_hand(self.tape):
            if concerns(steps[0], self.asked):
                self._keep(steps, names)

    def _go_on(self, node: Node) -> None:
        """Ends what trains the network that was found, beside others perhaps, and looks for more after it."""
        with contextlib.suppress(NoStep):
            for steps in find_steps(self.tape) if self.beside else ():
                training = {(p.after.place, p.after.function) for p in steps[0].parameters}
                repeated = any(_is_repeated(p, turns) for p in steps[0].parameters for turns in (1, 2))
                if (training <= self.made or repeated) and concerns(steps[0], self.asked):
                    self._keep(steps, names_in_frames(sys._getframe(2)), beside=True)
        if len(self.found) == 1:  # what else there is may take half as long as this did
            rest = max(1.0, 0.5 * (time.monotonic() - self.began))
            self.tape.deadline = min(self.tape.deadline, time.monotonic() + rest)
            shorten(rest)
        self._leave(node, self.trained)

    def _leave(self, node: Node, trained: list[Step], note: str = "") -> NoReturn:
        """Ends what trains these networks, once this Node is made."""
        began, stepped = min(map(_began, trained)), _seen_from(trained)
        before = [self.left[n] for n in made_of(p.root for step in trained for p in step.parameters) if n in self.left]
        made, first = map(min, zip((began, stepped), *before, strict=True))
        arrays = {n for step in trained for p in step.parameters for n in (*p.versions, p.after)}
        self.left |= dict.fromkeys(arrays, (made, first))
        self._forget()
        self.tape.ended[node.number] = Another(made, first, stepped, note)
        raise self.tape.ended[node.number]

    def _forget(self) -> None:
        """Looks for what is trained from here on."""
        for seen in self.tape.nodes:
            seen.steps = 0
        self.tape.since = len(self.tape.nodes)
        self.next_look = 0
        self.next_look_at: dict[tuple[Place, ...], int] = {}  # what lines add up, when it was no step the last time
        self.awaited: set[Place | None] = set()  # lines that have made a step, but not yet thrice …
        self.next_look_there = 0  # … which may be many, of an entry each
        self.last: Place | None = None  # the line that completes the round in which one was found

    def _begin_anew(self) -> bool:
        """Whether nothing has been trained until the record was full: then all of that was data."""
        if self.found or self.left or self.tape.begun == ANEW or not begin_anew(self.tape):
            return False
        self._forget()
        return True

    def networks(self, ran: Ran | None, reasons: list[Reason], name: str) -> list[Network]:
        """Those that were found, and that which had not made three steps yet when the program ended."""
        if self.found and (ran is None or not ran.in_time):
            return self.found
        try:
            steps = next(find_steps(self.tape))
            if not self.found and all(_only_adds(p, self.tape) for p in steps[0].parameters):
                raise NoStep(NOTHING)
        except NoStep as error:
            notes = [] if ran is None else sorted(ran.notes, key=lambda note: not note.endswith(TIME_IS_UP))
            why = f" ({notes[0]})" if notes else ""
            too_long = len(self.tape.nodes) > self.tape.most
            if too_long:
                count = self.tape.forgotten + len(self.tape.nodes)
                why = f" in the first {count} operations, and no more are recorded{why}"
            if not self.found:
                self.unread = isinstance(error, NoLoss)
                far = TRAINS if self.unread else BREAKS_OFF if why else TRAINS_NOTHING
                reasons.append(
                    Reason(name, f"{error}{why}", far, too_much=ran is not None and (too_long or not ran.in_time))
                )
            return self.found
        names: dict[Node, list[str]] = {}
        if ran is not None:
            with contextlib.suppress(Enough), recording(self.tape):  # whose time may be up
                names_in(ran.namespace, names)
        # What a trained array is added to is no step of it, but a prediction.
        predicts = all(len(p.versions) == 2 and p.before in self.left for p in steps[0].parameters)
        if not self.found or (concerns(steps[0], self.asked) and not predicts):
            self._keep(steps, names)
            self._keep_by_hand(names)
        return self.found


def _only_adds(parameter: Parameter, tape: Tape) -> bool:
    """Whether the line that seems to step an array adds to the same array again, and something is made of what it
    gives: it is a bias of a forward pass."""
    old, made = parameter.before, parameter.after
    again = (n for n in tape.nodes if n.instruction == made.instruction and n is not made)
    goes_on = made.function is np.add and made.used and len(parameter.versions) == 2
    return goes_on and any(base is old for n in again for base, _ in n.updates)


def _began(step: Step) -> int:
    """The number of the first version of all that it steps; where a bias was a number it is an array only later."""
    return min(n.number for p in step.parameters for n in (p.root, p.versions[0]))


def _seen_from(steps: list[Step]) -> int:
    """The number of what the first of the last three steps gave; 0 where there were fewer."""
    stepped = (p.versions for step in steps for p in step.parameters if len(p.versions) > TIMES)
    return min((versions[-TIMES].number for versions in stepped), default=0)


def _is_repeated(parameter: Parameter, turns: int = 1) -> bool:
    """Whether it was stepped three times by the same lines, called from the same ones, or from so many in turns: what a
    residual network adds to layer by layer is no parameter."""
    stepped, times = [node.places for node in parameter.versions[1:]], TIMES * turns
    return any(len(set(stepped[k - times : k : turns])) == 1 for k in range(times, len(stepped) + 1))


def concerns(step: Step, asked: str) -> bool:
    """Whether the asked file has a part in the step; where nothing was computed for it, in what is stepped."""
    nodes = [p.before for p in step.parameters] if step.stale else [*step.backward, *step.forward]
    return any(file_and_cell(place.file)[0] == asked for node in nodes for place in node.places)
