"""Runs the command line on a terminal that is none, to see what a person would."""

import contextlib
import os
import pty
import re
import subprocess
import sys


def run_on_terminal(*arguments, columns, stdout=True, stderr=False):
    """(status, what the terminal shows, what standard output holds where it is not on the terminal)."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", "from jaxnet.cli import main; main()", *arguments],
        stdout=theirs if stdout else subprocess.PIPE,
        stderr=theirs if stderr else None,
        env=os.environ | {"TERM": "xterm", "COLUMNS": str(columns)},
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux's way to say that the other side has closed
        while part := os.read(ours, 2**16):
            shown += part
    os.close(ours)
    out, _ = process.communicate()
    return process.returncode, shown.decode(), (out or b"").decode()


def lines_of(shown):
    """The lines that stood on a terminal, without colours and movements."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n").splitlines()
