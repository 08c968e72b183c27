"""The `forebay` command as a person types it: another process, its own folder, no settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx2

from tests.servers.said_line import said_line

ROOT = Path(__file__).resolve().parents[2]
FOREBAY = (sys.executable, "-m", "deploy.cli")


def clean_environment(**more: str) -> dict[str, str]:
    """Ours without settings of Forebay's; ports are free ones, so that tests can run beside."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
    return {
        **ours,
        "PYTHONPATH": str(ROOT),
        "FOREBAY_INGRESS__PORT": "0",
        "FOREBAY_EMBEDDED__FLOWER_PORT": "0",
        # A port that is free is another's as soon as it is not held.
        "FOREBAY_EMBEDDED__METRICS": "false",
        # Who answers shall not depend on what is installed here.
        "FOREBAY_EMBEDDED__LOCAL_MODEL": "false",
        # Only tests of the index wait for one.
        "FOREBAY_EMBEDDED__INDEXER": "false",
        **more,
    }


def http_get(url: str, **asked: Any) -> httpx2.Response:
    """As patient as a busy machine asks for."""
    return httpx2.get(url, timeout=60, **asked)


def http_post(url: str, **asked: Any) -> httpx2.Response:
    """As patient as a busy machine asks for."""
    return httpx2.post(url, timeout=60, **asked)


def forebay(
    *arguments: str, folder: Path, stdin: str = "", seconds: int = 110, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, in `folder`."""
    return subprocess.run(
        [*FOREBAY, *arguments],
        cwd=folder,
        env=clean_environment(**more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
    )


Typed = Callable[..., subprocess.CompletedProcess[str]]
"""A command that runs in this process, to spare its start."""


def printed(typed: Typed, *arguments: str) -> Any:
    """What it says in JSON, when it succeeds."""
    done = typed(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class RunningStack:
    """A `forebay up --json` that runs. `ready` is the object that it printed."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [*FOREBAY, "up", "--json"],
            cwd=folder,
            env=clean_environment(**(environment or {})),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            line = said_line(self.process, "{", seconds=120)
        except AssertionError as error:
            _, complaint = self.process.communicate(timeout=60)
            raise AssertionError(f"forebay up did not start: {complaint}") from error
        self.ready: dict[str, Any] = json.loads(line)

    def stop(self) -> int:
        """Ctrl-C; its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def kill(self) -> None:
        """SIGKILL, for it alone."""
        self.process.kill()
        self.process.wait(60)

    def close(self) -> None:
        """Whatever a failed test left."""
        if self.process.poll() is None:
            self.kill()
        self.process.communicate(timeout=60)

    def processes(self) -> dict[int, str]:
        """Command lines by pid of all living processes that belong to this stack's folder."""
        return processes_in(self.folder)


def processes_in(folder: Path) -> dict[int, str]:
    """Command lines by pid of all living processes that work in `folder` or are told of it."""
    lines = ((entry, _belonging(entry, str(folder))) for entry in Path("/proc").glob("[0-9]*"))
    return {int(entry.name): line for entry, line in lines if line}


def _belonging(entry: Path, folder: str) -> str:
    try:
        parts = [(entry / name).read_bytes() for name in ("cmdline", "environ")]
        where = os.readlink(entry / "cwd")
    except OSError:
        return ""
    is_ours = where.startswith(f"{folder}/") or any(folder.encode() in part for part in parts)
    return parts[0].replace(b"\0", b" ").decode() if is_ours else ""


def eventually(holds: Callable[[], bool], *, seconds: float = 60) -> bool:
    """Whether it comes to hold in time; what is waited for happens in another process."""
    give_up_at = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.05)
    return True
