"""Keeps an author's program from doing harm: it runs on a copy of its tree, under limits, and is refused the rest.

This protects from accidents: a program that saves over its data, clears a folder, downloads, starts a server or other
programs, fills the memory or the disk, or never ends. All it can write to is a copy; large files are links that it
cannot write through. Where `bwrap` (bubblewrap) is installed and allowed, the kernel sees to that: the file system is
read-only but for the copy, there is no network, and no other process is seen. Elsewhere an audit hook of Python's
refuses what Python's own functions are about to do. That is no protection from malice: code that means harm gets
round the hook (through an extension module, or Python's internals), and in both cases it reads whatever you may read.
Do not compare a file that you would not run.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEMORY = 8 << 30  # bytes of data
TRIAL = 5.0  # seconds that bubblewrap may take to start
WRITTEN = 512 << 20  # bytes of a file


# --- limits -----------------------------------------------------------------------------------------------------------


def limit(seconds: float, memory: int = MEMORY) -> None:
    """Limits of this process: processor time for so many seconds on all cores, bytes of memory, the size of a file."""
    try:
        import resource  # not on Windows, where there are no such limits
    except ImportError:
        return
    cores = os.cpu_count() or 1
    memory = min(memory, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * 3 // 4)
    limits = [("DATA", memory), ("CPU", int(seconds + 1) * cores), ("FSIZE", WRITTEN), ("CORE", 0)]
    for name, value in limits:
        with contextlib.suppress(ValueError, OSError, AttributeError):
            number = getattr(resource, f"RLIMIT_{name}")
            hard = resource.getrlimit(number)[1]
            value = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(number, (value, value))


# --- the audit hook ---------------------------------------------------------------------------------------------------


class Refused(PermissionError):
    """What an author's program was about to do outside of its scratch copy."""


_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Event: for each path among its arguments, where it is and where the folder is that it is relative to.
_CHANGES = {
    "os.chmod": [(0, 2)], "os.chown": [(0, 3)], "os.utime": [(0, 3)], "os.truncate": [(0, None)],
    "os.setxattr": [(0, None)], "os.removexattr": [(0, None)], "os.mkdir": [(0, 2)], "sqlite3.connect": [(0, None)],
}  # fmt: skip
_CHANGES_ENTRY = {  # of the link itself, not of what it points to
    "os.remove": [(0, 1)], "os.rmdir": [(0, 1)], "os.rename": [(0, 2), (1, 3)], "os.symlink": [(1, 2)],
    "os.link": [(0, 2), (1, 3)], "shutil.rmtree": [(0, None)],
}  # fmt: skip
_REFUSED = {  # network and other processes
    "socket": "connect bind sendto sendmsg getaddrinfo gethostbyname gethostbyaddr getnameinfo",
    "os": "system exec fork forkpty posix_spawn spawn startfile killpg", "subprocess": "Popen", "pty": "spawn",
}  # fmt: skip
_FOREIGN = "dlopen dlsym dlsym/handle call_function string_at wstring_at cdata cdata/buffer"  # of ctypes


def arm(scratch: Path) -> None:
    """From now on refuse network, other processes, and changes of the file system outside of `scratch`, for good."""
    allowed = os.path.realpath(scratch) + os.sep
    realpath, split, join, readlink, fsdecode = os.path.realpath, os.path.split, os.path.join, os.readlink, os.fsdecode

    def inside(event: str, path: Any, folder: Any, entry: bool) -> None:
        if isinstance(path, int):
            path = readlink(f"/proc/self/fd/{path}") if path >= 0 else ""
        path = fsdecode(path)
        if isinstance(folder, int) and folder >= 0 and not os.path.isabs(path):
            path = join(readlink(f"/proc/self/fd/{folder}"), path)
        above, name = split(path.rstrip("/") or "/")
        place = join(realpath(above or "."), name) if entry else realpath(path)
        if not place.startswith(allowed) and place != os.devnull:
            raise Refused(f"{event} is refused outside of the scratch copy: {path}")

    def opened(event: str, arguments: tuple) -> None:
        path, _, flags = arguments
        if flags & _WRITES and not isinstance(path, int):
            inside("writing", path, None, False)

    def changed(event: str, arguments: tuple) -> None:
        entry = event in _CHANGES_ENTRY
        for path, folder in (_CHANGES_ENTRY if entry else _CHANGES)[event]:
            if arguments[path] != ":memory:":
                inside(event, arguments[path], folder and len(arguments) > folder and arguments[folder], entry)

    def refuse(event: str, arguments: tuple) -> None:
        raise Refused(f"{event} is refused")

    def kills(event: str, arguments: tuple) -> None:
        if arguments[0] != os.getpid():
            refuse(event, arguments)

    def foreign(event: str, arguments: tuple) -> None:
        """ctypes is for libraries: an author's code, whose file names are relative, would get round all this."""
        frame = sys._getframe(2)
        while frame.f_back is not None and f"{os.sep}ctypes{os.sep}" in frame.f_code.co_filename:
            frame = frame.f_back
        name = frame.f_code.co_filename
        if not os.path.isabs(name) and not name.startswith("<frozen"):
            refuse(event, arguments)

    watched: dict[str, Callable[[str, tuple], None]] = {
        "open": opened,
        "os.kill": kills,
        **dict.fromkeys([*_CHANGES, *_CHANGES_ENTRY], changed),
        **{f"{module}.{name}": refuse for module, names in _REFUSED.items() for name in names.split()},
        **{f"ctypes.{name}": foreign for name in _FOREIGN.split()},
    }
    find = watched.get

    def hook(event: str, arguments: tuple) -> None:
        check = find(event)
        if check is not None:
            check(event, arguments)

    with contextlib.suppress(ImportError):  # multiprocessing starts processes by it, and no event is raised
        import _posixsubprocess

        _posixsubprocess.fork_exec = lambda *arguments: refuse("fork_exec", arguments)
    sys.addaudithook(hook)


# --- namespaces -------------------------------------------------------------------------------------------------------


def wrap(command: list[str], scratch: Path) -> tuple[list[str], str]:
    """The command with the system closed around it but for `scratch`, if that can be; and by what it is isolated."""
    start = _namespaces()
    if start is None:
        return command, "audit-hook"
    return [*start, "--bind", str(scratch), str(scratch), "--", *command], "namespaces"


@functools.cache
def _namespaces() -> list[str] | None:
    """bubblewrap with its options, if it is installed and the system lets it work."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    start = [program, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    start += ["--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent"]
    try:
        trial = subprocess.run([*start, "--", "true"], capture_output=True, timeout=TRIAL)
    except (OSError, subprocess.SubprocessError):
        return None
    return start if trial.returncode == 0 else None
