"""What the README shows is what happens."""

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def test_there_is_python():
    assert PYTHON


@pytest.mark.parametrize("code", PYTHON)
def test_the_readmes_python_runs(code, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    exec(code, {"__name__": "readme"})


def test_the_two_commands_stand_at_the_top():
    commands = [line for line in README.splitlines()[:30] if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert commands[0].endswith("jaxnet train")
    assert commands[1].endswith("pytest")
