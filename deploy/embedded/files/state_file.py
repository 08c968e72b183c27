"""What a running stack tells the other commands: where it is and how to get in."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class StackState(msgspec.Struct, frozen=True, kw_only=True):
    """Written when the stack is ready, removed when it ends. It holds secrets: mode 0600.

    `environment` are the variables that make any command use this stack's servers.
    """

    pid: int
    folder: str
    url: str
    key: str
    admin_key: str
    flower_url: str | None
    flower_user: str | None
    flower_password: str | None
    environment: dict[str, str]


def write_state(file: Path, state: StackState) -> None:
    """Replace the file at once, so that no reader sees half of it."""
    write_private(file, msgspec.json.format(msgspec.json.encode(state)))


def read_state(file: Path) -> StackState | None:
    """The state, or None where there is none that can be read."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=StackState)
    except (OSError, msgspec.DecodeError):
        return None


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only this user may read, never visible half-written."""
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as output:
        output.write(content)
    draft.replace(file)
