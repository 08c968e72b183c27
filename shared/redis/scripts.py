"""Lua scripts: loaded from beside the code that calls them, sent by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec
from hiredis import pack_command
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, ResponseError

from shared.redis.connection import KeepingPool, asking_redis, redis_failure

Argument = str | bytes | int | float


class ScriptCall(msgspec.Struct, frozen=True):
    """One call of a script: its keys and its arguments."""

    keys: Sequence[str | bytes]
    arguments: Sequence[Argument]


@dataclass(frozen=True, slots=True)
class LuaScript:
    """A script and its SHA1; atomic in Redis."""

    source: bytes
    sha: str

    async def call(self, redis: Redis, call: ScriptCall) -> Any:
        """Run it once; raises RedisUnavailable."""
        (outcome,) = await self.call_all(redis, [call])
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def call_all(
        self, redis: Redis, calls: Sequence[ScriptCall], *, seconds: float | None = None
    ) -> list[Any]:
        """Run it for each call; see `run_scripts`."""
        return await run_scripts(redis, [(self, call) for call in calls], seconds=seconds)

    def packed(self, call: ScriptCall) -> bytes:
        """The command that runs it once."""
        words = ("EVALSHA", self.sha, len(call.keys), *call.keys, *call.arguments)
        return pack_command(words)  # type: ignore[arg-type, no-any-return]  # its stub errs


ScriptRun = tuple[LuaScript, ScriptCall]


async def run_scripts(
    redis: Redis, runs: Sequence[ScriptRun], *, seconds: float | None = None
) -> list[Any]:
    """Run each in its turn, all in one round trip; an outcome is a value or its RedisRefused.

    What Redis refuses to one keeps no other from running. Raises RedisUnavailable for all of them,
    after `seconds` at the latest. What a server did not run because it lost its scripts (restart,
    SCRIPT FLUSH) is loaded and sent again, and nothing else is.
    """
    pool: KeepingPool = redis.connection_pool  # type: ignore[assignment]  # of `open_redis`
    async with asking_redis(seconds=seconds):
        outcomes = await pool.ask(_packed(runs), replies=len(runs))
        if lost := [at for at, each in enumerate(outcomes) if isinstance(each, NoScriptError)]:
            again = await _load_and_ask(pool, [runs[at] for at in lost])
            for at, outcome in zip(lost, again, strict=True):
                outcomes[at] = outcome
    return [
        redis_failure(outcome) if isinstance(outcome, ResponseError) else outcome
        for outcome in outcomes
    ]


async def _load_and_ask(pool: KeepingPool, runs: Sequence[ScriptRun]) -> list[Any]:
    # On one connection: behind one address, others may still lead to another server.
    sources = {script.source for script, _ in runs}
    loads = b"".join(
        pack_command(("SCRIPT", "LOAD", each))  # type: ignore[arg-type]  # its stub errs
        for each in sources
    )
    replies = await pool.ask(loads + _packed(runs), replies=len(sources) + len(runs))
    for loaded in replies[: len(sources)]:
        if isinstance(loaded, ResponseError):
            raise loaded
    return replies[len(sources) :]


def _packed(runs: Sequence[ScriptRun]) -> bytes:
    # redis-py packs arguments in Python, which costs more than all the rest of a call; this is its
    # own pipeline, packed in C, on a connection that its pool does not take back.
    return b"".join([script.packed(call) for script, call in runs])


def load_script(package: str, name: str) -> LuaScript:
    """The script `name` that lies in `package`."""
    return lua_script(files(package).joinpath(name).read_bytes())


def lua_script(source: bytes) -> LuaScript:
    """The script that reads so."""
    # Redis names scripts by SHA1; nothing here depends on its strength.
    return LuaScript(source, hashlib.sha1(source, usedforsecurity=False).hexdigest())
