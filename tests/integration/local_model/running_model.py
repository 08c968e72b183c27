"""The local model as its own process, on a free port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from shared.settings.turn.local_model import LocalModelSettings
from tests.servers.ports import free_port
from tests.servers.process import ChildProcess
from workers.local_model.weights import missing_parts

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "workers.local_model")


class RunningModel:
    """Answers between the constructor and `close`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        missing = missing_parts(LocalModelSettings())
        assert not missing, " ".join(missing)
        self.port = free_port()
        self.log = folder / "local-model.log"
        self._child = ChildProcess(COMMAND, self.log, model_environment(self.port, **settings))
        self._child.spawn()
        self._wait(self._is_ready)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def wait_until(self, *, answers_under_way: int, seconds: float = 60) -> None:
        """Return once llama.cpp writes so many answers."""
        name = "llamacpp:requests_processing"
        self._wait(lambda: self._figure(name) == answers_under_way, seconds=seconds)

    @property
    def tokens_written(self) -> int:
        """Counted when an answer ends, a cut one too."""
        return round(self._figure("llamacpp:tokens_predicted_total"))

    def stop(self) -> None:
        """SIGTERM."""
        self._child.terminate(signal.SIGTERM)

    def kill(self) -> None:
        self._child.kill()

    def _wait(self, holds: Callable[[], bool], *, seconds: float = 60) -> None:
        give_up_at = time.monotonic() + seconds
        while not holds():
            assert self._child.is_running, self.log.read_text()
            assert time.monotonic() < give_up_at, self.log.read_text()
            time.sleep(0.03)

    def _figure(self, name: str) -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as page:
            lines = page.read().decode().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1):
                return True
        except (urllib.error.URLError, TimeoutError):
            return False


def model_environment(port: int, **settings: str) -> dict[str, str]:
    """For the process; without the settings around the tests."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FOREBAY_")}
    named = {f"FOREBAY_LOCAL_MODEL__{name.upper()}": value for name, value in settings.items()}
    return {**ours, "PYTHONPATH": str(ROOT), "FOREBAY_LOCAL_MODEL__PORT": str(port), **named}


def start_in_vain(port: int, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the process to its end, which is expected to come at once."""
    return subprocess.run(
        COMMAND,
        env=model_environment(port, **settings),
        capture_output=True,
        text=True,
        timeout=60,
    )
