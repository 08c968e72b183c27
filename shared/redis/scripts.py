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
        """Run it for each call in one round trip; an outcome is a value or its RedisRefused.

        Raises RedisUnavailable for all of them, after `seconds` at the latest.
        A server that lost its scripts (restart, SCRIPT FLUSH) has run none of them, so they are
        loaded and all sent again.
        """
        async with asking_redis(seconds=seconds):
            outcomes = await self._pipeline(redis, calls)
            if any(isinstance(outcome, NoScriptError) for outcome in outcomes):
                await redis.script_load(self.source)
                outcomes = await self._pipeline(redis, calls)
        return [
            redis_failure(outcome) if isinstance(outcome, ResponseError) else outcome
            for outcome in outcomes
        ]

    async def _pipeline(self, redis: Redis, calls: Sequence[ScriptCall]) -> list[Any]:
        # redis-py packs arguments in Python, which costs more than all the rest of a call; this
        # is its own pipeline, packed in C, on a connection that its pool does not take back.
        pool: KeepingPool = redis.connection_pool  # type: ignore[assignment]  # of `open_redis`
        return await pool.ask(b"".join([self._packed(call) for call in calls]), replies=len(calls))

    def _packed(self, call: ScriptCall) -> bytes:
        words = ("EVALSHA", self.sha, len(call.keys), *call.keys, *call.arguments)
        return pack_command(words)  # type: ignore[arg-type, no-any-return]  # its stub errs


def load_script(package: str, name: str) -> LuaScript:
    """The script `name` that lies in `package`."""
    return lua_script(files(package).joinpath(name).read_bytes())


def lua_script(source: bytes) -> LuaScript:
    """The script that reads so."""
    # Redis names scripts by SHA1; nothing here depends on its strength.
    return LuaScript(source, hashlib.sha1(source, usedforsecurity=False).hexdigest())
