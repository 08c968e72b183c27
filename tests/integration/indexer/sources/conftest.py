"""Folders and checkouts to scan, made by the real git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., str]
LIMIT_BYTES = 1_000_000


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Runs git in `tmp_path`, or in the folder named, as nobody's checkout configures it."""
    own = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }

    def run(*arguments: str, folder: Path = tmp_path) -> str:
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=folder,
            env=os.environ | own,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    return run


def write(root: Path, *paths: str, content: bytes = b"text\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
