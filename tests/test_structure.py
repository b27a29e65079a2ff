"""Imports point one way: each module needs only those that come before it in the reading order."""

import ast
from pathlib import Path

import pytest

import jaxnet

PACKAGE = Path(jaxnet.__file__).parent

# Modules, and packages that count as one here, in the order in which they are read.
ORDER = [
    "jaxnet.network",
    "jaxnet.losses",
    "jaxnet.backprop",
    "jaxnet.data",
    "jaxnet.evaluation",
    "jaxnet.devices",
    "jaxnet.batches",
    "jaxnet.augment",
    "jaxnet.training",
    "jaxnet.runs.settings",
    "jaxnet.runs.files",
    "jaxnet.runs.folder",
    "jaxnet.runs.checkpoint",
    "jaxnet.runs.keeper",
    "jaxnet.runs.run",
    "jaxnet.runs.images",
    "jaxnet.runs.drawing",
    "jaxnet.runs.plots",
    "jaxnet.runs.terminal",
    "jaxnet.compare",
    "jaxnet.cli",
]
MODULES = {path: ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in PACKAGE.rglob("*.py")}


def place(module):
    """The number in ORDER of a module, or of the package that it belongs to; None for a package's own folder."""
    places = [k for k, name in enumerate(ORDER) if module == name or module.startswith(f"{name}.")]
    return places[0] if places else None


def imported(source):
    """All modules that a module imports, wherever it does; of `from a import b`, both a and a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows_upwards(module, source):
    here = place(module)
    return [name for name in imported(source) if (there := place(name)) is not None and there > here]


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__init__.py"], ids=MODULES.get)
def test_no_arrow_points_upwards(path):
    assert place(MODULES[path]) is not None, "the reading order lacks it"
    assert arrows_upwards(MODULES[path], path.read_text()) == []


def test_an_arrow_upwards_is_found():
    assert arrows_upwards("jaxnet.data", "def f():\n    from jaxnet.runs import run") == ["jaxnet.runs.run"]
    assert arrows_upwards("jaxnet.network", "import jaxnet.losses") == ["jaxnet.losses"]
    assert arrows_upwards("jaxnet.losses", "import jaxnet.network") == []


def test_the_hand_written_gradient_needs_numpy_alone():
    names = {name.split(".")[0] for name in imported((PACKAGE / "backprop.py").read_text())}
    assert names == {"__future__", "collections", "typing", "numpy"}
