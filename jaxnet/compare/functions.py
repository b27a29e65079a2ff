"""The functions and classes of an author's file, and how the file itself calls them."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

from jaxnet.compare.names import read_name
from jaxnet.compare.reading import AUTHOR, Program


class Callee(NamedTuple):
    """A function or method of the author's."""

    name: str  # back_prop, or Network.backprop
    owner: str | None  # the class of a method
    node: ast.FunctionDef | ast.Lambda
    arguments: tuple[inspect.Parameter, ...]  # without self

    @property
    def short(self) -> str:
        return self.name.rpartition(".")[2]


class Site(NamedTuple):
    """A place in the file where a function is called."""

    targets: list[str] | str | None  # the names that its result is assigned to
    arguments: dict[str, ast.expr]
    loops: dict[str, ast.expr]  # what the loops around it run over, by the names that they bind
    within: Callee | None  # the function that the place is in


class _CallNode(NamedTuple):
    node: ast.Call
    targets: list[str] | str | None
    loops: dict[str, ast.expr]
    within: ast.AST | None


class File:
    """The author's functions, and how the file itself calls them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.constants = dict(program.names)  # as they are before any function has run
        self.classes: dict[str, type] = {}
        self.callees: dict[str, Callee] = {}
        self._definitions = _definitions(program)
        for name, value in program.names.items():
            if isinstance(value, types.FunctionType):
                self._add(name, None, value)
            elif isinstance(value, type) and value.__module__ == AUTHOR:
                self._add_class(name, value)
        self._by_node = {id(callee.node): callee for callee in self.callees.values()}
        self._calls = [call for unit in program.units for call in _calls(unit.tree, None, {}, None)]
        self._sites: dict[str, list[Site]] = {}
        self._reached: dict[str, list[Callee]] = {}
        self._free: dict[str, set[str]] = {}
        nodes = [n for unit in program.units for n in ast.walk(unit.tree)]
        self.declared_global = {name for n in nodes if isinstance(n, ast.Global) for name in n.names}

    def _add_class(self, name: str, value: type) -> None:
        self.classes[name] = value
        methods = []
        for method in dir(value):
            member = inspect.getattr_static(value, method)
            function = getattr(member, "__func__", member)
            if isinstance(function, types.FunctionType):
                methods.append((function.__code__.co_firstlineno, method, function, isinstance(member, staticmethod)))
        for _, method, function, static in sorted(methods, key=lambda m: m[:2]):
            self._add(f"{name}.{method}", name, function, drop=not static)

    def _add(self, name: str, owner: str | None, function: Any, drop: bool = False) -> None:
        node = self._definitions.get((function.__code__.co_filename, function.__code__.co_firstlineno))
        if node is not None:
            arguments = tuple(inspect.signature(function).parameters.values())
            self.callees[name] = Callee(name, owner, node, arguments[1:] if drop else arguments)

    def sites(self, callee: Callee) -> list[Site]:
        """Where the file calls a function, with the expressions given for its arguments."""
        if callee.name not in self._sites:
            self._sites[callee.name] = [self._site(callee, c) for c in self._calls if _is_call_of(c.node, callee)]
        return self._sites[callee.name]

    def _site(self, callee: Callee, call: _CallNode) -> Site:
        named = dict(zip((p.name for p in callee.arguments), call.node.args, strict=False))
        named |= {keyword.arg: keyword.value for keyword in call.node.keywords if keyword.arg}
        return Site(call.targets, named, call.loops, self._by_node.get(id(call.within)))

    def written(self, callee: Callee, argument: str, depth: int = 3) -> list[Any]:
        """The constants that the file itself gives for an argument, also through a function that passes it on."""
        values: list[Any] = []
        for site in self.sites(callee):
            node = site.arguments.get(argument)
            passed = {p.name: p for p in site.within.arguments} if site.within else {}
            if isinstance(node, ast.Name) and node.id in passed:
                if depth and site.within is not callee:
                    values += self.written(site.within, node.id, depth - 1)  # pyright: ignore[reportArgumentType]
                default = passed[node.id].default
                values += [default] if default is not inspect.Parameter.empty and default is not None else []
            elif node is not None and self.program.is_plain(node, self.program.names):
                try:
                    values.append(eval(compile(ast.Expression(node), "<argument>", "eval"), dict(self.program.names)))
                except Exception:  # a constant expression that fails is no constant
                    continue
        return values

    def reached(self, callee: Callee) -> list[Callee]:
        """The function and all the author's functions that it calls, directly or not."""
        if callee.name not in self._reached:
            found, waiting = {callee.name: callee}, [callee]
            while waiting:
                current = waiting.pop()
                for name in names_used(current):
                    target = self.callees.get(name)
                    if target is not None and target.name not in found:
                        found[target.name] = target
                        waiting.append(target)
            self._reached[callee.name] = list(found.values())
        return self._reached[callee.name]

    def free_names(self, callee: Callee) -> set[str]:
        """The module's variables that a call can read."""
        if callee.name not in self._free:
            self._free[callee.name] = {name for function in self.reached(callee) for name in _free(function.node)}
        return self._free[callee.name]


def _is_call_of(call: ast.Call, callee: Callee) -> bool:
    """Judged by name: a function by its name, a method by its name as an attribute, a constructor by its class's."""
    name = callee.owner if callee.short == "__init__" else callee.short
    if callee.owner is None or callee.short == "__init__":
        return isinstance(call.func, ast.Name) and call.func.id == name
    return isinstance(call.func, ast.Attribute) and call.func.attr == name


def names_used(callee: Callee) -> set[str]:
    used = set()
    for node in ast.walk(callee.node):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Attribute) and callee.owner:
            private = node.attr.startswith("__") and not node.attr.endswith("__")
            used.add(f"{callee.owner}.{f'_{callee.owner}' if private else ''}{node.attr}")
    return used


def _definitions(program: Program) -> dict[tuple[str, int], Any]:
    found = {}
    for unit in program.units:
        for node in ast.walk(unit.tree):
            if isinstance(node, ast.FunctionDef):
                found[unit.filename, min([node.lineno, *(d.lineno for d in node.decorator_list)])] = node
            elif isinstance(node, ast.Lambda):
                found.setdefault((unit.filename, node.lineno), node)
    return found


def _calls(node: ast.AST, targets: Any, loops: dict[str, ast.expr], within: ast.AST | None) -> Iterator[_CallNode]:
    if isinstance(node, ast.FunctionDef):
        within, loops = node, {}
    if isinstance(node, ast.For):
        loops = {**loops, **_bound(node)}
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        loops = {**loops, **{name: over for g in node.generators for name, over in _bound(g).items()}}
    if isinstance(node, ast.Call):
        yield _CallNode(node, targets, loops, within)
    assigned = None
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        several = isinstance(target, ast.Tuple | ast.List)
        assigned = [tail(t) for t in target.elts] if several else tail(target)
    for child in ast.iter_child_nodes(node):
        yield from _calls(
            child, assigned if isinstance(node, ast.Assign) and child is node.value else None, loops, within
        )


def _bound(loop: ast.For | ast.comprehension) -> dict[str, ast.expr]:
    return {n.id: loop.iter for n in ast.walk(loop.target) if isinstance(n, ast.Name)}


def tail(node: ast.AST) -> str:
    """The last name of an expression: W1 of self.W1, of params['W1'] and of W1."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return ""


def _free(node: ast.AST) -> set[str]:
    loaded, stored, declared = set(), set(), set()
    for n in ast.walk(node):
        if isinstance(n, ast.Name):
            (loaded if isinstance(n.ctx, ast.Load) else stored).add(n.id)
        elif isinstance(n, ast.arg):
            stored.add(n.arg)
        elif isinstance(n, ast.Global):
            declared.update(n.names)
    return (loaded - stored) | declared


def return_names(node: ast.FunctionDef | ast.Lambda) -> list[str] | str | None:
    """The names in a function's last return statement: a list for a tuple display, a string for one value."""
    shown = [node.body] if isinstance(node, ast.Lambda) else [r.value for r in _returns(node) if r.value is not None]
    if not shown:
        return None
    value = shown[-1]
    if isinstance(value, ast.Tuple | ast.List):
        return [_main_name(element) for element in value.elts]
    return _main_name(value) or None


def _returns(node: ast.AST) -> Iterator[ast.Return]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Return):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            yield from _returns(child)


def _main_name(node: ast.AST) -> str:
    """What an expression is called: its own name, or that of the first gradient in it (dW1 / m)."""
    if isinstance(node, ast.Dict | ast.Tuple | ast.List | ast.ListComp | ast.DictComp):
        return ""
    tails = [tail(n) for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute | ast.Subscript)]
    return tail(node) or next((t for t in tails if (read := read_name(t)) and read.gradient), "")


def listed(file: File) -> str:
    """The functions of a file, for a message."""
    return ", ".join(name for name in file.callees if not name.rpartition(".")[2].startswith("__")) or "none"
