"""The verdict, as text, JSON and HTML."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from types import UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import numpy as np

from jaxnet.compare.diagnosis import Finding
from jaxnet.compare.mistakes import HEADLINES, WORDS, shape_in_words, symbol_of
from jaxnet.compare.teeth import Teeth

# What a hint of each level says; Report.hinted has the whole rule.
HINTS = {
    1: "which gradients are wrong",
    2: "which gradients are wrong, and where that begins",
    3: "which gradients are wrong, where that begins, and the idea",
}


class Parameter(NamedTuple):
    """One parameter's gradient: how far off as a share of the true one's largest entry (1 if the shape is wrong).

    A hint has no shape of the gradient, no error and empty arrays where they are withheld. Without its arrays, `off`
    says how far off the gradient is.
    """

    name: str
    shape: tuple[int, ...]
    gradient_shape: tuple[int, ...] | None
    relative_error: float | None
    right: bool
    given: np.ndarray
    true: np.ndarray
    off: str = ""


class Place(NamedTuple):
    """Where in the author's file a finding stands, and what to write instead, in the author's names."""

    line: int | None = None
    cell: int | None = None
    source: str | None = None
    instead: str | None = None
    file: str | None = None


class Unjudged(NamedTuple):
    """An array that looks like weights or a bias: where the forward pass uses it or a step changes it, and why nothing
    is said of it."""

    shape: tuple[int, ...]
    place: Place
    why: str = "which none of the first steps changes"


class Frontier(NamedTuple):
    """Between which lines a gradient went wrong: the last that holds a derivative of the loss, and the first after."""

    right_up_to: Place | None
    quantity: str
    wrong_from: Place | None


class Change(NamedTuple):
    """A file of the program's tree as it should be: a digest of what it was (SHA-256), its new text, the difference."""

    digest: str
    text: str
    diff: str


class Move(NamedTuple):
    """A parameter's entry, moved by `step`: what the loss changes by, and what the gradient says that it does, but for
    the constant that right gradients share."""

    parameter: str
    at: tuple[int, ...]
    step: float
    loss: float
    gradient: float
    before: int = 1  # the step of the program before which it is moved
    shared: float = 1.0


class Report(NamedTuple):
    """The result of a comparison. `str(report)` is the text, `report.to_json()` the contract's JSON."""

    verdict: str  # right, right-up-to-scale or wrong
    parameters: list[Parameter]
    findings: list[Finding]
    places: list[Place]  # one for each finding
    source: str | None = None
    loss: dict[str, str] | None = None
    network: dict[str, Any] | None = None
    truth: str = "jax.grad"  # how the true gradient was found
    program: str | None = None  # what was run, if it is not the source itself
    notes: list[str] = []  # noqa: RUF012 (what could not be run, or was made up)
    names: dict[str, str] = {}  # noqa: RUF012 (the author's, of parameters that have others here)
    frontier: dict[str, Frontier] = {}  # noqa: RUF012 (of each wrong parameter)
    changes: dict[str, Change] = {}  # noqa: RUF012 (of files, after which what could be mended is gone)
    unmended: list[tuple[str, str]] | None = None  # findings that the changes leave; None where nothing was tried
    unjudged: list[Unjudged] = []  # noqa: RUF012 (what looks like a parameter, and is none of those judged)
    idle: list[str] = []  # noqa: RUF012 (backward passes of the file that have no part in what is right)
    cut: bool = False  # the program went on, and was stopped: what would have come may train as well
    also_right: list[Place] = []  # noqa: RUF012 (where further networks are stepped that are right as well)
    teeth: Teeth | None = None  # of a right one: which mistakes would have shown
    repeat: Move | None = None  # of a wrong one: what its author can compute to see it
    isolation: str | None = None  # what kept the program from the rest of the machine
    root: str | None = None  # the program's tree, which the names of files are relative to
    hint: int | None = None  # how much is told: 1, 2, 3, or all

    @classmethod
    def of(
        cls, parameters: list[Parameter], findings: list[Finding], places: list[Place] | None = None, **rest
    ) -> Report:
        """The report with the verdict that parameters and findings imply."""
        if all(p.right for p in parameters) and not any(f.severity == "error" for f in findings):
            verdict, findings, places = "right", [], []
        elif findings and all(f.severity == "warning" for f in findings):
            verdict = "right-up-to-scale"
        else:
            verdict = "wrong"
        return cls(verdict, parameters, findings, places or [Place()] * len(findings), **rest)

    def hinted(self, level: int | None) -> Report:
        """The report for a student who is to find the mistake: what the level does not say is not in it any more.

        | level | says |
        | --- | --- |
        | 1 | the verdict, the network, and which parameters' gradients are wrong |
        | 2 | also at which quantity and line it begins: `at`, the lines, the frontier |
        | 3 | also the code, the idea in words, and the shape of each gradient |
        | None | all |

        Whatever the level, there is no formula, no constant and no line to write instead; no relative error, from
        which a constant or a sign can be read; and no gradient, so that the pages have no pictures. Shapes come with
        the idea only: a bias whose gradient is a number needs no further words. The verdict stays whatever it was,
        and with it the exit status. A hint can only be made smaller. Raises ValueError for another level.
        """
        if level is None and self.hint is None:
            return self
        if level is None or level not in HINTS or level > (self.hint or level):
            known = [str(k) for k in HINTS if k <= (self.hint or k)]
            raise ValueError(f"hint is {level}; {', '.join(known)} can be had" + ", or None" * (self.hint is None))
        findings, places, frontier = self._placed(level) if level > 1 else ([], [], {})
        nothing = np.empty(0)
        parameters = [
            p._replace(
                gradient_shape=p.gradient_shape if level == 3 else None,
                relative_error=None,
                given=nothing,
                true=nothing,
                off="",
            )
            for p in self.parameters
        ]
        # Not `_replace`: a field that is not named here is withheld.
        return Report(
            verdict=self.verdict,
            parameters=parameters,
            findings=findings,
            places=places,
            source=self.source,
            loss=self.loss,
            network=self.network,
            truth=self.truth,
            program=self.program,
            notes=self.notes,
            names=self.names,
            frontier=frontier,
            cut=self.cut,
            isolation=self.isolation,
            root=self.root,
            hint=level,
        )

    def _placed(self, level: int) -> tuple[list[Finding], list[Place], dict[str, Frontier]]:
        """The findings without their formulas, their places and the frontier; without codes below level 3."""
        kept = {
            (Finding(f.at, f.code if level == 3 else "", severity=f.severity), place._replace(instead=None)): None
            for f, place in zip(self.findings, self.places, strict=True)
        }
        return [f for f, _ in kept], [place for _, place in kept], self.frontier

    def to_dict(self) -> dict[str, Any]:
        """The object that `jaxnet compare --json` prints; what a hint withholds is null."""
        return {
            "source": self.source,
            "verdict": self.verdict,
            "loss": self.loss,
            "network": self.network,
            "parameters": [
                {
                    "name": p.name,
                    "shape": list(p.shape),
                    "gradient_shape": None if p.gradient_shape is None else list(p.gradient_shape),
                    "relative_error": p.relative_error,
                    "right": p.right,
                }
                for p in self.parameters
            ],
            "findings": [
                {
                    "at": finding.at,
                    "code": finding.code or None,
                    "severity": finding.severity,
                    "scale": finding.scale,
                    "line": place.line,
                    "source": place.source,
                    "explanation": self.explanation(finding) or None,
                    "instead": place.instead,
                    "parameters": self.parameters_of(finding),
                }
                for finding, place in zip(self.findings, self.places, strict=True)
            ],
            "truth": self.truth,
            "program": self.program,
            "notes": self.notes,
            "names": self.names,
            "unjudged": [{"shape": list(u.shape), "why": u.why, **(_line(u.place) or {})} for u in self.unjudged],
            "idle": self.idle,
            "also_right": [_line(place) for place in self.also_right],
            "diff": "".join(change.diff for change in self.changes.values()) or None,
            "teeth": self.teeth
            and {
                "shown": self.teeth.shown,
                "of": self.teeth.of,
                "hidden": [{"at": at, "code": code} for at, code in self.teeth.hidden],
            },
            "repeat": self.repeat and self.repeat._asdict(),
            "isolation": self.isolation,
            "frontier": {
                name: {"right_up_to": _line(f.right_up_to, f.quantity), "wrong_from": _line(f.wrong_from)}
                for name, f in self.frontier.items()
            },
        } | ({} if self.hint is None else {"hint": self.hint})

    def packed(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The report as what JSON can hold, and its arrays, to be sent to another process."""
        parameters = [p._replace(given=None, true=None) for p in self.parameters]  # type: ignore[arg-type]
        arrays = {f"{k} {kind}": getattr(p, kind) for k, p in enumerate(self.parameters) for kind in ("given", "true")}
        return self._replace(parameters=parameters)._asdict(), arrays

    @classmethod
    def unpacked(cls, packed: dict[str, Any], arrays: dict[str, np.ndarray]) -> Report:
        """The report that `packed` took apart."""
        types = get_type_hints(cls)
        report = cls(**{name: _restored(types[name], value) for name, value in packed.items() if name in types})
        parameters = [
            p._replace(given=arrays[f"{k} given"], true=arrays[f"{k} true"]) for k, p in enumerate(report.parameters)
        ]
        return report._replace(parameters=parameters)

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def parameters_of(self, finding: Finding) -> list[str]:
        """The wrong parameters that the finding accounts for: dZ2 makes those of layers 1 and 2 wrong, and dZ all of
        them: the error of the output where no layers are known.

        A constant of the loss is that of those which are right otherwise, where nothing is known of the rest.
        """
        if finding.at == "loss" and self._is_of_the_right_ones:
            return [p.name for p in self.parameters if p.right]

        def concerns(name: str) -> bool:
            if finding.at[:2] == "dZ" and finding.layer:
                return name[1:].isdigit() and int(name[1:]) <= finding.layer
            return finding.at in (name, f"d{name}", "loss", "forward", "dZ")

        return [p.name for p in self.parameters if not p.right and concerns(p.name)]

    @property
    def _is_of_the_right_ones(self) -> bool:
        return any(f.code == "unknown" for f in self.findings) and any(p.right for p in self.parameters)

    def explanation(self, finding: Finding) -> str:
        """What was computed and why it is wrong, in a sentence or two; of a hint the idea alone, or nothing."""
        if not finding.code:
            return ""
        network = self.network or {}
        hidden, output = network.get("hidden", ""), network.get("output", "")
        number = finding.layer + finding.is_of_layer_above
        activations = hidden.split(",") if "," in hidden else [hidden] * (len(network.get("sizes", [])) - 2)
        layers = [*activations, output]
        activation = layers[number - 1] if 0 < number <= len(layers) else output if finding.at == "dZ" else hidden
        loss = (self.loss or {}).get("name", "loss")
        gives_cross_entropy = {"softmax": "cross-entropy", "sigmoid": "binary cross-entropy"}.get(output)
        words = WORDS[finding.code].whole if self.hint is None else f"{WORDS[finding.code].idea}."
        words = words.format(
            l=number,
            parameter=finding.at[1:],
            above=number + 1,
            below=number - 1,
            weights=f"W{number + 1} has" if finding.at[:2] == "dZ" and number else "an array of weights has",
            act=symbol_of(activation) or "the activation",
            input="the input X" if number == 1 else f"A{number - 1}",
            scale=finding.scale_name if finding.code == "wrong-scale" else f"{finding.scale or 0:.6g}",
            penalty={
                "left out": "left out, though the loss has it",
                "added": "added that the loss does not have (if it is meant, it belongs into the loss as well)",
            }.get(
                finding.scale_name,
                finding.scale_name + ", which the loss has" * finding.scale_name.startswith("in place"),
            ),
            loss={"squared-error": "the squared error"}.get(loss, loss),
            cross_entropy=(
                f"{'Ŷ − Y' if self.hint is None else 'What is left'} is the gradient of another loss, the "
                f"{gives_cross_entropy}: so it trains all the same. "
                if gives_cross_entropy and loss == "squared-error" and not finding.is_of_layer_above
                else ""
            ),
            how_far=self._how_far(finding).removesuffix(".") if finding.code == "unknown" and self.hint is None else "",
        )
        if finding.at == "loss" and finding.code == "wrong-scale":
            alone = all(f.severity != "error" for f in self.findings)
            words = (
                f"{'' if alone else 'besides, '}all {'right ' * self._is_of_the_right_ones}gradients are "
                f"{finding.scale_name or 'a constant'} times those of the loss. "
                f"{'The direction is right, and a' if alone else 'A'} learning rate makes up for the constant; but "
                "loss and gradient should have one convention."
            )
        if finding.code == "unknown" and finding.computed:
            words = words.removeprefix(f"{WORDS['unknown'].idea}. ")
            return f"{finding.computed}. {words}"
        return (f"{finding.computed}: " if finding.computed and finding.at != "loss" else "") + words

    def without_arrays(self) -> Report:
        """The report without the gradients themselves, of which pages draw pictures: all that is said of them stays."""
        nothing = np.empty(0)
        return self._replace(parameters=[p._replace(given=nothing, true=nothing, off=_off(p)) for p in self.parameters])

    def _how_far(self, finding: Finding) -> str:
        """For a quantity that nothing explains: how far off, where, and what still is right."""
        is_error = finding.at.startswith("dZ")  # then the weights' gradients say enough
        names = self.parameters_of(finding)
        said = [_off(p) for p in self.parameters if p.name in names and not (is_error and p.name[0] == "b")]
        return " ".join(said) or "It is not that of the loss."

    def html(self) -> str:
        """One self-contained page with the same, and a picture of each weight matrix's gradients."""
        from jaxnet.compare.page import page

        return page(self)

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        from jaxnet.compare.page import fragment

        return fragment(self)

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """The report for a terminal, without colour: verdict, parameters, findings, what follows."""
        lines = [self.headline + (f": {self.source}" if self.source else "")]
        lines.append(f"  {self.network_line()}")
        if self.program:
            lines.append(f"  what was run: {self.program}")
        lines += [f"  note: {note}" for note in self.notes[:3]]
        lines += [f"  notes in --json: {len(self.notes) - 3} more"] * (len(self.notes) > 3)
        lines += [f"  {line}" for line in self.unjudged_lines()]
        lines += [f"  {self.hint_line()}"] * (self.hint is not None)
        lines += ["", *self._table(), ""]
        for findings, place in self.by_place():
            lines += [*self._finding_lines(findings, place), ""]
        lines += self._consequences()
        lines += _wrapped(self.teeth_line()) + _wrapped(self.repeat_line())
        return "\n".join(lines).rstrip() + "\n"

    @property
    def headline(self) -> str:
        """The verdict in a sentence: of what is right no more than was judged."""
        in_part = self.verdict == "right" and (self.unjudged or self.idle or self.cut)
        return HEADLINES["right in part" if in_part else self.verdict]

    def unjudged_lines(self) -> list[str]:
        """What a verdict says nothing of, and other networks."""
        alike = list(Counter(self.unjudged).items())
        further = sum(count for _, count in alike[SOME:])
        places = dict.fromkeys(self.where(place) for place in self.also_right)
        right = [f"also right: the network of {place}" for place in places]
        left = [f"not judged: {_arrays(u.shape, n)} in {self.where(u.place)}, {u.why}" for u, n in alike[:SOME]]
        left += [f"not judged: {further} more"] * bool(further)
        idle = [f"not judged: {some(self.idle)}, of which no line has a part in this step"]
        return left + idle * bool(self.idle) + right

    def teeth_line(self) -> str:
        """What a right verdict rests on: how many mistakes would have shown, and which would not."""
        if self.teeth is None:
            return ""
        shown = f"{self.teeth.shown} of {self.teeth.of} mistakes would show in these data"
        by_code: dict[str, list[str]] = {}
        for at, code in self.teeth.hidden:
            by_code.setdefault(code, []).append(at)
        hidden = "; ".join(f"{code} in {', '.join(quantities)}" for code, quantities in by_code.items())
        return f"{shown}{f'; not {hidden}' if hidden else ''}."

    def repeat_line(self) -> str:
        """How an author can see with their own code that a gradient is wrong."""
        if self.repeat is None:
            return ""
        name, index, step, loss, gradient, before, shared = self.repeat
        which = {1: "first", 2: "second"}[before]
        times = f", and {shared:.6g} times that, as right gradients have it, is {shared * loss:.3g}"
        return (
            f"To see it: before the {which} step, add {step:g} to {self.yours(name)}{list(index) or ''}. Your loss "
            f"changes by {loss:.3g}{times if abs(shared - 1) > 1e-6 else ''}; your gradient says {gradient:.3g}."
        )

    def yours(self, name: str) -> str:
        """What the author calls a parameter."""
        return self.names.get(name, name)

    def by_place(self) -> list[tuple[list[Finding], Place]]:
        """The findings in order, those of one quantity and line together, and what is alike in one line."""
        together: list[tuple[list[Finding], Place]] = []
        for finding, place in zip(self.findings, self.places, strict=True):
            code = (finding.code, finding.scale_name) if place.line is not None else None
            here = (found for found, at in together if at == place)
            same = (found for found in here for f in found if f.at == finding.at or (f.code, f.scale_name) == code)
            group = next(same, None)
            if group is None:
                together.append(([finding], place))
            else:
                group.append(finding)
        return together

    def explanations(self, findings: list[Finding]) -> list[str]:
        """What is wrong with what stands in one line, each kind of mistake once, and some of what has no name."""
        kinds = {(f.code, f.scale_name, f.at if f.code == "unknown" else ""): f for f in reversed(findings)}
        first, *others = reversed(kinds.values())
        said = [f._replace(computed="" if f.at == first.at else f.computed) for f in others[: SOME - 1]]
        further = (self.explanation(f).removeprefix(WORDS["unknown"].idea + ". ") for f in said)
        return [self.explanation(first), *further]

    def where(self, place: Place) -> str:
        """The place as an editor takes it, net.py:41; for a notebook the cell and its line."""
        is_other = place.file and self.source and not f"/{self.source}".endswith(f"/{place.file}")
        file = place.file if is_other else self.source
        return f"{file}:{place.line}" if place.cell is None else f"{file}, cell {place.cell}, line {place.line}"

    def network_line(self) -> str:
        """The network, the loss if there is one, and where the truth comes from, in a line."""
        if self.loss is None:
            return f"truth: {self.truth}"
        network, loss = self.network, self.loss
        origin = {"source": "your loss", "flag": "as stated", "inferred": "inferred"}[loss["from"]]
        parts = []
        if network:
            hidden = f"{network['hidden']}, " if network["hidden"] else ""
            sizes = "-".join(map(str, network["sizes"]))
            parts.append(f"{sizes}, {hidden}{network['output']}, batches are {network['layout']}")
        named = (
            "a loss without a name"
            if loss["name"] == "another"
            else f"{loss['name']}, {loss['reduction']} over examples"
        )
        return "; ".join([*parts, f"{named} ({origin})", f"truth: {self.truth}"])

    def hint_line(self) -> str:
        """What a hint says, so that nobody takes it for all there is."""
        return "" if self.hint is None else f"hint {self.hint} of {len(HINTS)}: {HINTS[self.hint]}"

    def frontier_lines(self) -> list[str]:
        """Between which lines each wrong gradient went wrong."""
        lines: dict[str, list[str]] = {}
        for name, (known, quantity, unknown) in self.frontier.items():
            if unknown is not None and known is not None and quantity and self.where(known) == self.where(unknown):
                said = f"wrong within {self.where(unknown)}, where {quantity} is still right."
                lines.setdefault(said, []).append(name)
            elif unknown is not None:
                of = f" ({quantity})" if quantity else ""
                upto = f"right up to {self.where(known)}{of}, " if known is not None else ""
                lines.setdefault(f"{upto}wrong from {self.where(unknown)} on.", []).append(name)
        return [f"{some(names)}: {said}" for said, names in lines.items()]

    def table(self) -> list[list[str]]:
        """A head and a row for each parameter: its name, the author's own if that is another one, shape, its gradient's
        shape and error if known, verdict."""
        columns = [
            ["", *(p.name for p in self.parameters)],
            ["yours", *(self.yours(p.name) for p in self.parameters if self.names)],
            ["shape", *(shape_in_words(p.shape) for p in self.parameters)],
            ["gradient", *(shape_in_words(p.gradient_shape) for p in self.parameters if p.gradient_shape is not None)],
            ["relative error", *(f"{p.relative_error:.1e}" for p in self.parameters if p.relative_error is not None)],
            ["", *(self.verdict_of(p) for p in self.parameters)],
        ]
        full = [column for column in columns if len(column) == 1 + len(self.parameters)]
        return [list(row) for row in zip(*full, strict=True)]

    def _table(self) -> list[str]:
        head, *rows = self.table()
        shown = sorted(rows, key=lambda row: row[-1][0] != "✗")[:ROWS] if len(rows) > ROWS else rows
        more = [f"  and {len(rows) - ROWS} more, in --json"] * (len(rows) > ROWS)
        rows = [head, *shown]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        cells = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
        return ["  " + "  ".join(row).rstrip() for row in cells] + more

    def verdict_of(self, p: Parameter) -> str:
        """A parameter's verdict, in a sign and a word."""
        if p.right and p.given.size and not p.given.any():
            return "· 0, as is the true one"
        if p.right:
            return "✓ right"
        if self.verdict == "right-up-to-scale":
            return "≈ right but for a constant"
        return "✗ wrong"

    def _finding_lines(self, findings: list[Finding], place: Place) -> list[str]:
        ats: dict[str, list[str]] = {}
        for f in findings:
            ats.setdefault(f"{f.severity}{f'[{f.code}]' * bool(f.code)}", []).append(f.at)
        lines = [f"{code}: {some(of_code)}" for code, of_code in ats.items()]
        if place.line is not None:
            gutter = " " * len(str(place.line))
            lines += [
                f"{gutter}--> {self.where(place)}",
                f"{gutter} |",
                f"{place.line} | {place.source}",
                f"{gutter} |",
            ]
        for explanation in self.explanations(findings):
            lines += _wrapped(explanation)
        if place.instead:
            lines += [f"  instead: {place.instead}"]
        return lines

    def _consequences(self) -> list[str]:
        # Where a formula is named, its line says more.
        unnamed = self.hint == 2 or any(f.code == "unknown" for f in self.findings)
        lines = [f"  {line}" for line in self.frontier_lines() if unnamed]
        for at in dict.fromkeys(f.at for f in self.findings if f.severity == "error" and f.code != "unknown"):
            names = self.parameters_of(next(f for f in self.findings if f.at == at))
            if names and [f"d{name}" for name in names] != [at]:
                lines.append(f"  {at} makes the gradient of {', '.join(names)} wrong.")
        return lines


def _restored(kind: Any, value: Any) -> Any:
    """A value of this type, of what JSON made of it: tuples, with names or without, are lists there."""
    origin, parts = get_origin(kind), get_args(kind)
    if value is None:
        return None
    if origin is UnionType:  # X | None
        return _restored(parts[0], value)
    if origin is tuple:
        return tuple(map(_restored, parts[:1] * len(value) if parts[-1] is ... else parts, value))
    if origin is list:
        return [_restored(parts[0], part) for part in value]
    if origin is dict:
        return {key: _restored(parts[1], part) for key, part in value.items()}
    if hasattr(kind, "_fields"):
        return kind(*map(_restored, get_type_hints(kind).values(), value))
    return value


def _off(p: Parameter) -> str:
    """How far off a wrong gradient is, and in which entries."""
    if p.right or p.off or p.relative_error is None:
        return p.off
    if p.given.shape != p.true.shape:
        return f"{p.name}'s gradient has shape {p.given.shape}, not {p.true.shape}."
    off = np.abs(p.given - p.true) > 1e-6 * max(np.abs(p.true).max(), 1e-300)
    cosine = float(np.vdot(p.given, p.true) / max(np.linalg.norm(p.given) * np.linalg.norm(p.true), 1e-300))
    sentence = f"{p.name}: off by {p.relative_error:.2g} of the largest entry, in {off.sum()} of {off.size} entries"
    if off.size == 1:
        return f"{p.name}: off by {p.relative_error:.2g} times what it should be."
    if off.ndim == 2 and not off.all():
        rows, columns = np.flatnonzero(off.any(axis=1)), np.flatnonzero(off.any(axis=0))
        if len(rows) < off.shape[0]:
            sentence += f", all in rows {_list(rows)}"
        elif len(columns) < off.shape[1]:
            sentence += f", all in columns {_list(columns)}"
    return sentence + f"; direction (cosine) {cosine:.4f}."


SOME = 4  # names, or findings of one line, that are said
ROWS = 40  # of a table, the wrong ones first where there are more


def some(names: list[str]) -> str:
    """Names, of many the first ones."""
    return ", ".join(names[:SOME]) + f" and {len(names) - SOME} more" * (len(names) > SOME)


def _arrays(shape: tuple[int, ...], count: int) -> str:
    """What so many arrays of a shape are called."""
    if count == 1:
        return f"{'an array ' * bool(shape)}{shape_in_words(shape)}"
    return f"{count} {f'arrays {shape_in_words(shape)}' if shape else 'numbers'}"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 96, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)


def _line(place: Place | None, quantity: str | None = None) -> dict[str, Any] | None:
    if place is None:
        return None
    found = {"line": place.line, "cell": place.cell, "file": place.file, "source": place.source}
    return found if quantity is None else {**found, "quantity": quantity}


def _list(numbers: np.ndarray) -> str:
    return ", ".join(map(str, numbers[:8])) + (" …" if len(numbers) > 8 else "")
