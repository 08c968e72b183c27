"""What Redis keeps of a tenant, as all its scripts know it."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from shared.redis.scripts import LuaScript, load_script

EPOCH_DAY: Final = date(2025, 1, 1).toordinal()
"""The scripts count days from here, as they count seconds."""


class RecordCount(StrEnum):
    """What is counted of a user, in the order in which it is packed, weighed and replied."""

    REFUSALS = "refusals"
    REPEATS = "repeats"
    BURSTS = "bursts"
    BLOCKS = "blocks"
    INJECTIONS = "injections"
    COMPLAINTS = "complaints"


def load_account_script(package: str, name: str) -> LuaScript:
    """The script `name` of `package`, which finds account.lua's names before its first line."""
    return load_script(package, name, prelude=_prelude())


@cache
def _prelude() -> bytes:
    record = ", ".join(f"'{each}'" for each in RecordCount)
    account = files("shared.reservations").joinpath("account.lua").read_bytes()
    return f"local RECORD = {{ {record} }}\n".encode() + account
