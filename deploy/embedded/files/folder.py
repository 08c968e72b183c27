"""The one folder that holds everything an embedded stack writes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.embedded.errors import StackFailed, StackInUse
from deploy.embedded.files.state_file import read_state


class StackFolder:
    """Its files, and the lock that makes the folder one stack's at a time.

    The kernel drops the lock with the process that holds it, so a killed stack leaves none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.sqlite3"

    @property
    def redis(self) -> Path:
        return self.path / "redis"

    @property
    def index(self) -> Path:
        return self.path / "index"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def credentials(self) -> Path:
        return self.path / "credentials.json"

    @property
    def state(self) -> Path:
        return self.path / "stack.json"

    def log(self, role: str) -> Path:
        return self.logs / f"{role}.log"

    def create(self) -> None:
        """Make the folder, for this user's eyes only; raises StackFailed where it cannot be."""
        try:
            for folder in (self.path, self.redis, self.logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StackFailed(
                f"The folder {error.filename} cannot be made: {error.strerror}. "
                "Name another one with FOREBAY_EMBEDDED__FOLDER."
            ) from error

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """This folder for us alone; raises StackInUse."""
        self.create()
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StackInUse(self._whose()) from None
            yield
        finally:
            os.close(lock)

    def is_claimed(self) -> bool:
        """Whether a stack runs here."""
        try:
            lock = os.open(self.path / "lock", os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def _whose(self) -> str:
        state = read_state(self.state)
        who = f" (process {state.pid}, {state.url})" if state else ""
        return (
            f"A stack runs in {self.path} already{who}. Use that one, stop it with Ctrl-C where "
            "it runs, or start this one with FOREBAY_EMBEDDED__FOLDER set to another folder."
        )
