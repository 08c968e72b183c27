"""The stack's own secrets: made once, kept in its folder."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

import msgspec

from deploy.embedded.errors import StackFailed
from deploy.embedded.files.state_file import write_private

FLOWER_USER: Final = "forebay"


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What opens the parts of an embedded stack. The keys are made with the ledger."""

    redis_password: str
    flower_password: str
    key: str | None = None
    admin_key: str | None = None


def load_credentials(file: Path) -> Credentials:
    """Those of the last run, or new ones; raises StackFailed where the file is damaged."""
    if not file.exists():
        created = Credentials(
            redis_password=secrets.token_urlsafe(24), flower_password=secrets.token_urlsafe(12)
        )
        save_credentials(file, created)
        return created
    try:
        return msgspec.json.decode(file.read_bytes(), type=Credentials)
    except (OSError, msgspec.DecodeError) as error:
        raise StackFailed(
            f"{file} cannot be used: {error}. Remove it: new secrets are made at the next start."
        ) from error


def save_credentials(file: Path, credentials: Credentials) -> None:
    write_private(file, msgspec.json.format(msgspec.json.encode(credentials)))
