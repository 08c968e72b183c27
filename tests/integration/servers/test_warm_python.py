"""A process that was forked with its modules loaded is one of its own in all else."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.process import ChildProcess, without_secrets
from tests.servers.warm_python import CAN_FORK, WarmPython

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="this system cannot wait for a stranger")

SHOWN = """
import json, os, sys
loaded = "colorsys" in sys.modules
print(loaded, os.getsid(0) == os.getpid(), os.getcwd(), json.dumps(dict(os.environ)), flush=True)
"""


@pytest.fixture(scope="module")
def warm() -> WarmPython:
    return WarmPython(["colorsys"], without_secrets())


@pytest.fixture
def child(warm: WarmPython, tmp_path: Path) -> Iterator[ChildProcess]:
    """Runs a statement; `python -m timeit` does."""
    child = ChildProcess(
        command=["timeit", "-n1", "-r1"],
        log=tmp_path / "log",
        environment={"OWN": "yes"},
        folder=tmp_path,
        warm=warm,
    )
    yield child
    child.kill()


def _run(child: ChildProcess, *statements: str) -> None:
    child.command = [*child.command, *statements]
    child.spawn()


def test_its_environment_folder_session_and_output_are_its_own(
    child: ChildProcess, tmp_path: Path
) -> None:
    _run(child, *SHOWN.strip().splitlines())
    assert child._process is not None
    assert child._process.wait(60) == 0
    loaded, leads, folder, environment = child.log.read_text().split(maxsplit=3)
    assert (loaded, leads, folder) == ("True", "True", str(tmp_path))
    assert '"OWN": "yes"' in environment
    assert "PYTEST" not in environment
    assert "best of 1" in environment, "it went on to its end"


def test_it_runs_until_it_is_killed(child: ChildProcess) -> None:
    _run(child, "import time; time.sleep(60)")
    assert child.is_running
    process = child._process
    assert process is not None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    child.kill()
    assert not child.is_running
    assert process.poll() == -signal.SIGKILL


def test_its_exit_code_is_told(child: ChildProcess) -> None:
    _run(child, "raise ValueError")
    assert child._process is not None
    assert child._process.wait(60) == 1


def test_two_of_them_draw_their_own_numbers(warm: WarmPython, tmp_path: Path) -> None:
    numbers = []
    for log in (tmp_path / "one", tmp_path / "other"):
        command = ["timeit", "-n1", "-r1", "import random; print(random.random(), flush=True)"]
        process = warm.start(command, environment={}, folder=tmp_path, log=log)
        assert process.wait(60) == 0
        numbers.append(log.read_text().split()[0])
    assert numbers[0] != numbers[1]
