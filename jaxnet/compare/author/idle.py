"""What of a file's backward passes has no part in a step: functions that were not called, branches that were not run,
and what returns what it is given, which leaves no record."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from jaxnet.compare.author.calls import tail
from jaxnet.compare.author.lines import parsed_text
from jaxnet.compare.author.meanings import meanings, role
from jaxnet.compare.author.node import Node, Place, made_of, nodes_in
from jaxnet.compare.author.passes import is_gradient, is_of_parameter, step_in
from jaxnet.compare.author.statements import Unit, read_units, unit_of
from jaxnet.compare.author.step import Step

Line: TypeAlias = tuple[str, int]


def idle_in(path: Path, root: Path, step: Step) -> tuple[str, ...]:
    """The backward passes of the file, of which no line has a part in the step."""
    stepping, found, used = _lines_of([step]), [], set()  # what is defined twice may be used once
    for file, name, function in _backward_in(path, root):
        if _has_a_part(stepping, file, [function]):
            used.add(name)
        elif _computes(function):
            found.append(name)
    return tuple(name for name in found if name not in used)


def branches_not_run(path: Path, root: Path, steps: list[Step]) -> list[str]:
    """The branches that hold a formula, and of which no line has a part in the steps: of the file's backward passes and
    of what these call; such functions without a name in a dictionary of them; and derivatives of another file, of which
    the program uses some."""
    stepping, found = _lines_of(steps) | _lines_that_make(n for step in steps for n in made_of(step.losses)), []
    after_labels = _lines_that_make(n for step in steps for n in step.backward)
    for unit in units_of(path, root):
        runs = functools.partial(_has_a_part, stepping, unit.filename)
        run = [(name, function) for name, function in _functions_in(unit) if runs([function])]
        backward = [function for _, function in run if role(function.name) == "backward"]
        calls = {tail(n.func) for function in backward for n in ast.walk(function) if isinstance(n, ast.Call)}
        helpers = [function for _, function in run if function.name in calls and role(function.name) == "no"]
        arms = [(f" of {name}", arm) for name, f in run if f in backward or f in helpers for arm in _branches(f)]
        code = [n for statement in unit.body for n in ast.walk(statement)]
        taken = [n for n in code if isinstance(n, ast.AugAssign | ast.Assign) and _steps(n)]
        stepped_by = {name for n in taken for name in _names_in(n.value)}
        over = [n for n in code if isinstance(n, ast.For) and not stepped_by.isdisjoint(_names_in(n.target))]
        stepped_by.update(*(_names_in(loop.iter) for loop in over))
        outside = [n for n in unit.body if not isinstance(n, ast.FunctionDef | ast.ClassDef)]
        loops = [ast.Module(outside, []), *(f for _, f in run if f not in backward and f not in helpers)]
        arms += [("", arm) for of in loops for arm in _branches(of) if not stepped_by.isdisjoint(_written_in(arm))]
        choices = (n for of in loops for n in ast.walk(of) if isinstance(n, ast.If) and n.orelse)
        rounds = (n for of in loops for n in ast.walk(of) if isinstance(n, ast.For | ast.While))
        in_rounds = {n for loop in rounds for n in ast.walk(loop)}
        used = _made_of(stepped_by, in_rounds) & _made_there(in_rounds, after_labels, unit.filename)
        for arm, other in (pair for n in choices for pair in ((n.body, n.orelse), (n.orelse, n.body))):
            both = set() if isinstance(arm[0], ast.If) else _assigned_in(arm) & _assigned_in(other)
            on_way = _has_a_part(after_labels, unit.filename, other) or (
                arm[0] in in_rounds and not used.isdisjoint(both)
            )
            arms += [("", arm)] * (bool(both) and on_way)
        for table in (n for n in code if isinstance(n, ast.Dict)):
            inside = (n for value in table.values for n in ast.walk(value))
            lambdas = [[node.body] for node in inside if isinstance(node, ast.Lambda)]
            arms += [("", arm) for arm in lambdas] if any(map(runs, lambdas)) else []
        for of, arm in sorted(arms, key=lambda found: found[1][0].lineno):
            if not runs(arm) and any(map(_has_formula, arm)):
                first, last = arm[0].lineno, arm[-1].end_lineno or arm[-1].lineno
                lines = f"line {first}" if first == last else f"lines {first} to {last}"
                found.append(f"{lines}{of}")
    return list(dict.fromkeys([*found, *_derivatives_not_used(path, root, stepping)]))


def steps_not_taken(path: Path, root: Path, step: Step) -> list[str]:
    """The functions of the file that step parameters, where the step that was judged is ours."""
    units = units_of(path, root) if not step.is_authors else []
    stepping = _lines_of([step])
    found = [(unit.filename, name, f) for unit in units for name, f in _functions_in(unit) if not _is_backward(f)]
    found = [of for of in found if any(map(_steps_parameter, ast.walk(of[2])))]
    return [name for file, name, f in found if not _has_a_part(stepping, file, [f])]


def losses_not_run(path: Path, root: Path, nodes: Iterable[Node]) -> list[tuple[str, ast.FunctionDef]]:
    """The losses that the file defines, with their names, where none of them has made one of these: the one that an
    error implies may be another one."""
    of_file = [(unit.filename, name, f) for unit in units_of(path, root) for name, f in _functions_in(unit)]
    losses = [of for of in of_file if role(of[2].name) == "loss" and _computes(of[2])]
    made = _lines_that_make(nodes) if losses else set[Line]()
    return [] if any(_has_a_part(made, file, [f]) for file, _, f in losses) else [(name, f) for _, name, f in losses]


def _derivatives_not_used(path: Path, root: Path, stepping: set[Line]) -> Iterator[str]:
    """Those of the other files, of which another one has a part."""
    others = sorted({file for file, _ in stepping if (root / file).suffix == ".py" and (root / file).is_file()})
    for file in (file for file in others if (root / file).resolve() != path.resolve()):
        for unit in read_units(root / file, file):
            slopes = [f for name, f in _functions_in(unit) if name == f.name and _SLOPE.search(name)]
            unused = [f for f in slopes if _computes(f) and not _has_a_part(stepping, file, [f])]
            yield from (f"{f.name} of {file}" for f in unused if len(unused) < len(slopes))


def _made_of(names: set[str], code: Collection[ast.AST]) -> set[str]:
    """These names, and all that they are made of there."""
    made = [n for n in code if isinstance(n, ast.Assign)]
    return _led_to(names, [(_names_in(n.targets[0]), _names_in(n.value)) for n in made])


def _made_there(code: Collection[ast.AST], lines: set[Line], file: str) -> set[str]:
    """The names that these lines give a value to, and those that are others for them."""
    made = [n for n in code if isinstance(n, ast.Assign)]
    named = {name for n in made if (file, n.lineno) in lines for name in _names_in(n.targets[0])}
    pairs = [pair for n in made for pair in _pairs(n.targets[0], n.value)]
    both = [(to, of) for to, of in pairs if isinstance(to, ast.Name) and isinstance(of, ast.Name)]
    return _led_to(named, [({of.id}, {to.id}) for to, of in both])


def _led_to(names: set[str], ways: list[tuple[set[str], set[str]]]) -> set[str]:
    """These names, and all that ways from any of them lead to."""
    found, before = set(names), set[str]()
    while found != before:
        before = set(found)
        found.update(*(to for of, to in ways if not of.isdisjoint(before)))
    return found


def _pairs(target: ast.expr, value: ast.expr) -> Iterable[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return zip(target.elts, value.elts, strict=False)
    return [(target, value)]


def _names_in(expression: ast.AST) -> set[str]:
    """The names in an expression, but for rates."""
    names = {n.id for n in ast.walk(expression) if isinstance(n, ast.Name)}
    return {name for name in names if meanings(name)[:1] != ["rate"]}


def _written_in(arm: list[ast.stmt]) -> set[str]:
    """The names of what an arm writes into, or makes anew of itself."""
    code = [n for statement in arm for n in ast.walk(statement)]
    into = {name for n in code if isinstance(n, ast.AugAssign) for name in _names_in(n.target)}
    anew = [(_names_in(n.targets[0]), _names_in(n.value)) for n in code if isinstance(n, ast.Assign)]
    return into.union(*(made & of for made, of in anew))


def _assigned_in(arm: list[ast.stmt]) -> set[str]:
    """The names to which an arm gives a value."""
    assigned = (n for statement in arm for n in ast.walk(statement) if isinstance(n, ast.Assign))
    return {name for n in assigned for target in n.targets for name in _names_in(target)}


def _branches(function: ast.FunctionDef | ast.Module) -> Iterator[list[Any]]:
    """What is done or computed under a condition, and what comes after one under which the function returns."""
    for node in ast.walk(function):
        if isinstance(node, ast.IfExp):
            yield from ([node.body], [node.orelse])
        if isinstance(node, ast.If):
            yield from (arm for arm in (node.body, node.orelse) if arm and not isinstance(arm[0], ast.If))  # elif
        if isinstance(node, ast.match_case):
            yield node.body
        for block in (block for field in ("body", "orelse") if isinstance(block := getattr(node, field, None), list)):
            returns = [k for k, s in enumerate(block) if isinstance(s, ast.If) and isinstance(s.body[-1], ast.Return)]
            rest = block[returns[-1] + 1 :] if returns else []
            yield from [rest] * bool(rest)


def passing_on(made: Place, steps: list[Step]) -> Iterator[Place]:
    """Where a backward pass of the class that has made something, by another method, hands on what it is given, as it
    is, which leaves no record."""
    stepping = _lines_of(steps)
    unit = unit_of(parsed_text(made.file), made.file)
    classes = (n for n in unit.body if isinstance(n, ast.ClassDef) and n.name == made.owner)
    for method in (f for c in classes for f in c.body if isinstance(f, ast.FunctionDef)):
        is_another = role(method.name) == "backward" and method.name != made.function
        line = _hands_on(method) if is_another else None
        if line is not None and (made.file, line) not in stepping:
            yield Place(made.file, line, method.name, made.owner)


def return_after(made: Place) -> Place | None:
    """Where the function that has made something returns once that is done, if there is one place only."""
    unit = unit_of(parsed_text(made.file), made.file)
    functions = (f for name, f in _functions_in(unit) if name == f"{made.owner}.{made.function}".removeprefix("."))
    inside = (n for f in functions if f.lineno <= made.line <= (f.end_lineno or f.lineno) for n in ast.walk(f))
    lines = [n.lineno for n in inside if isinstance(n, ast.Return) and n.lineno > made.line]
    return made._replace(line=lines[0]) if len(lines) == 1 else None


def _hands_on(method: ast.FunctionDef) -> int | None:
    """The line that calls what a method is given by another name, or returns it in the end, whatever the case is; none
    where something is written into it."""
    given = {argument.arg for argument in method.args.args}
    lines = []
    for statement in method.body:
        value = statement.value if isinstance(statement, ast.Assign | ast.Return) else None
        names = [t.id for t in getattr(statement, "targets", ()) if isinstance(t, ast.Name)]
        if isinstance(value, ast.Name) and value.id in given and (names or statement is method.body[-1]):
            lines.append(statement.lineno)
            given |= {*names}
    inside = list(ast.walk(method))
    into = [n.target for n in inside if isinstance(n, ast.AugAssign)]
    into += [n for n in inside if isinstance(n, ast.Subscript | ast.Attribute) and isinstance(n.ctx, ast.Store)]
    written = {n.id for target in into for n in ast.walk(target) if isinstance(n, ast.Name)}
    return lines[0] if lines and written.isdisjoint(given - {"self"}) else None


def _lines_of(steps: list[Step]) -> set[Line]:
    """Where what is stepped by was made: slopes too, which need no labels."""
    return _lines_that_make(made_of(n for step in steps for p in step.parameters for n in nodes_in(p.steps)))


def _lines_that_make(nodes: Iterable[Node]) -> set[Line]:
    return {(place.file, place.line) for node in nodes for place in node.places}


def _has_a_part(stepping: set[Line], file: str, statements: list[Any]) -> bool:
    return any((file, k) in stepping for s in statements for k in range(s.lineno, (s.end_lineno or s.lineno) + 1))


def _backward_in(path: Path, root: Path) -> Iterator[tuple[str, str, ast.FunctionDef]]:
    """The backward passes of the file: what their code is compiled with, their names, with their classes', and they."""
    for unit in units_of(path, root):
        yield from ((unit.filename, name, f) for name, f in _functions_in(unit) if _is_backward(f))


def units_of(path: Path, root: Path) -> list[Unit]:
    return read_units(path, str(path.resolve().relative_to(root.resolve())))


def _functions_in(unit: Unit) -> Iterator[tuple[str, ast.FunctionDef]]:
    classes = [(f"{c.name}.", c.body) for c in unit.body if isinstance(c, ast.ClassDef)]
    for owner, body in [("", unit.body), *classes]:
        yield from ((f"{owner}{f.name}", f) for f in body if isinstance(f, ast.FunctionDef))


def _has_formula(part_of_code: ast.AST) -> bool:
    """Whether it gives something a value, or returns or is one, that is computed, compared as a relu's slope is, the
    slope of what has none, or made by another backward pass; or returns what it has."""
    if isinstance(part_of_code, ast.Return) and isinstance(part_of_code.value, ast.Name | ast.Attribute):
        return True
    inside = list(ast.walk(part_of_code))
    given = [n.value for n in inside if isinstance(n, ast.Assign | ast.AugAssign | ast.Return) and n.value]
    given += [part_of_code] if isinstance(part_of_code, ast.expr) else []
    found = [part for value in given for part in ast.walk(value)]
    positions = {n for part in found if isinstance(part, ast.Subscript) for n in ast.walk(part.slice)}
    parts = [part for part in found if part not in positions]
    turned = [part.operand for part in parts if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub)]
    by = [isinstance(part, ast.BinOp) for part in parts] + [not isinstance(of, ast.Constant) for of in turned]
    makers = ("dot", "matmul", "multiply", "where", "ones_like")
    called = (tail(part.func) for part in parts if isinstance(part, ast.Call))
    calls = (name in makers or role(name) == "backward" for name in called)
    return any(by) or any(calls) or any(isinstance(part, ast.Compare) for part in parts)


_SLOPE = re.compile(r"prime|deriv|slope|^d_?(relu|sigmoid|tanh|act)|_grad$", re.IGNORECASE)
_SENT_BACK = re.compile(r"d_?(x|y|z|a|h|out|scores|logits)", re.IGNORECASE)  # what a loss is derived by


def _is_backward(function: ast.FunctionDef) -> bool:
    """Whether it is called like a backward pass; like a loss, and fills gradients; or like what trains, and steps."""
    nodes = list(ast.walk(function))
    made = [n for n in nodes if isinstance(n, ast.Name | ast.Subscript) and isinstance(n.ctx, ast.Store)]
    names = [tail(node.value if isinstance(node, ast.Subscript) else node) for node in made]
    fills = any(is_gradient(name) or _SENT_BACK.fullmatch(name) for name in names)
    called = role(function.name)
    return called == "backward" or (called == "loss" and fills) or (called == "train" and any(map(_steps, nodes)))


def _steps(node: ast.AST) -> bool:
    """Whether it steps something by what is made with a product: `w -= rate * g`."""
    step = step_in(node)
    inside = ast.walk(step[1]) if step is not None else ()
    return any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult | ast.MatMult) for n in inside)


def _steps_parameter(node: ast.AST) -> bool:
    """Whether it steps a parameter so, or all of one by what has a name: `w -= update`, and no entry by `eps`."""
    step = step_in(node)
    if step is None or not is_of_parameter(step[0]):
        return False
    return _steps(node) or (isinstance(step[1], ast.Name | ast.Attribute) and not isinstance(step[0], ast.Subscript))


def _computes(function: ast.FunctionDef) -> bool:
    """Whether there is more in it than `raise NotImplementedError`, or what it is given, or a cursor that it moves."""
    stack: list[ast.AST] = list(function.body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Raise) or _counts(node):
            continue
        if isinstance(node, ast.BinOp | ast.AugAssign | ast.Call):
            return True
        stack += ast.iter_child_nodes(node)
    return False


def _counts(statement: ast.AST) -> bool:
    return isinstance(statement, ast.AugAssign) and isinstance(statement.value, ast.Constant)
