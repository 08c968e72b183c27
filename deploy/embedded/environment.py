"""The variables that make a process part of one stack."""

from __future__ import annotations

import hmac
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.embedded.files.credentials import Credentials
from deploy.embedded.files.folder import StackFolder
from deploy.embedded.processes.ports import LOOPBACK
from deploy.embedded.redis_server import redis_url

_PSEUDONYM_KEY: Final = "EMBEDDED_PSEUDONYM_KEY"


def stack_environment(
    folder: StackFolder, credentials: Credentials, *, redis_port: int, door_port: int
) -> dict[str, str]:
    """Where the servers are; of Redis one database for the broker and one for everything else."""

    def database(number: int) -> str:
        return redis_url(port=redis_port, password=credentials.redis_password, database=number)

    return {
        "FOREBAY_BROKER__URL": database(0),
        "FOREBAY_REDIS__URL": database(1),
        "FOREBAY_LEDGER__URL": f"sqlite+aiosqlite:///{folder.ledger}",
        "FOREBAY_INDEX__FOLDER": str(folder.index),
        "FOREBAY_INGRESS__HOST": LOOPBACK,
        "FOREBAY_INGRESS__PORT": str(door_port),
    }


def pseudonym_environment(credentials: Credentials) -> dict[str, str]:
    """A key of the stack's own for the names of users in traces, for who has set none. It is the
    same for as long as the folder is: users keep their names."""
    secret = credentials.redis_password.encode()
    key = hmac.new(secret, b"pseudonyms in traces", "sha256").hexdigest()
    return {"FOREBAY_TELEMETRY__PSEUDONYM_KEY_ENV": _PSEUDONYM_KEY, _PSEUDONYM_KEY: key}


def overlaid(ours: Mapping[str, str], stack: Mapping[str, str]) -> dict[str, str]:
    """`ours` with the stack's variables in place of whatever it says about the same settings."""
    said = {f"{name}_FILE" for name in stack} | stack.keys()
    return {name: value for name, value in ours.items() if name not in said} | dict(stack)


def child_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """For a Python process of ours: the same code as this one, its output not held back."""
    root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, (root, settings.get("PYTHONPATH"))))
    return {**settings, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}


def python_command(module: str, *arguments: str) -> tuple[str, ...]:
    """This interpreter running `module`."""
    return (sys.executable, "-m", module, *arguments)
