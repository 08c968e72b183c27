"""What Redis keeps of a tenant, as all its scripts know it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from shared.redis.scripts import LuaScript, lua_script

EPOCH_DAY: Final = date(2025, 1, 1).toordinal()
"""The scripts count days from here, as they count seconds."""

_BEFORE_THE_COUNTS: Final = ("requests", "tokens", "at", "seen", "born", "fast", "slow")
"""The first numbers of a user (account.lua explains them), in the order that they are packed in."""


class RecordCount(StrEnum):
    """What is counted of a user, in the order in which it is packed, weighed and replied."""

    REFUSALS = "refusals"
    REPEATS = "repeats"
    BURSTS = "bursts"
    BLOCKS = "blocks"
    INJECTIONS = "injections"
    COMPLAINTS = "complaints"


def load_account_script(package: str, name: str) -> LuaScript:
    """The script `name` of `package`, after those definitions of the account that it names."""
    script = files(package).joinpath(name).read_text("utf-8")
    return lua_script("".join((*_named_in(script), script)).encode())


def _named_in(script: str) -> list[str]:
    """The definitions that `script` needs, and those that they need, in their order."""
    needed, words = [], _words(script)
    for definition in reversed(_account()):
        head = re.split("[=(]", definition.removeprefix("local function "), maxsplit=1)[0]
        if not words.isdisjoint(_words(head)):
            needed.append(definition)
            words |= _words(definition)
    return needed[::-1]


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", re.sub("--.*", "", text))) - {"local"}


@cache
def _account() -> tuple[str, ...]:
    """Every definition: from a `local` that begins a line to the next of them, or a comment."""
    text = files("shared.reservations").joinpath("account.lua").read_text("utf-8")
    parts = re.split("^(?=local |--)", text, flags=re.MULTILINE)
    return (*_numbers_of_user(), *(part for part in parts if part.startswith("local ")))


def _numbers_of_user() -> Iterator[str]:
    before, counted = len(_BEFORE_THE_COUNTS), len(RecordCount)
    quoted = ", ".join(f"'{count}'" for count in RecordCount)
    yield f"local RECORD = {{ {quoted} }}\n"
    yield f"local COUNTED = {counted}\n"
    yield f"local BEFORE_COUNTS = '<{'d' * before}'\n"
    yield f"local BYTES_BEFORE_COUNTS = {8 * before}\n"
    yield f"local COUNTS = '<{'d' * counted}'\n"
    yield f"local NO_COUNTS = string.rep('\\0', {8 * counted})\n"
    yield f"local USER_BYTES = {8 * (before + counted)}\n"
    for place, count in enumerate(RecordCount, 1):
        yield f"local {count.upper()} = {place}\n"
