"""Lua scripts: loaded from beside the code that calls them, sent by their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

Argument = str | bytes | int | float


@dataclass(frozen=True, slots=True)
class ScriptCall:
    """One call of a script: its keys and its arguments."""

    keys: Sequence[str | bytes]
    arguments: Sequence[Argument]


@dataclass(frozen=True, slots=True)
class LuaScript:
    """A script and its SHA1; atomic in Redis."""

    source: bytes
    sha: str

    async def call(self, redis: Redis, call: ScriptCall) -> Any:
        """Run it once; raises redis.RedisError."""
        (outcome,) = await self.call_all(redis, [call])
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def call_all(self, redis: Redis, calls: Sequence[ScriptCall]) -> list[Any]:
        """Run it for each call in one round trip; an outcome is a value or its RedisError.

        A server that lost its scripts (restart, SCRIPT FLUSH) has run none of them, so they are
        loaded and all sent again.
        """
        outcomes = await self._pipeline(redis, calls)
        if any(isinstance(outcome, NoScriptError) for outcome in outcomes):
            await redis.script_load(self.source)
            outcomes = await self._pipeline(redis, calls)
        return outcomes

    async def _pipeline(self, redis: Redis, calls: Sequence[ScriptCall]) -> list[Any]:
        pipeline = redis.pipeline(transaction=False)
        for call in calls:
            pipeline.execute_command(
                "EVALSHA", self.sha, len(call.keys), *call.keys, *call.arguments
            )
        return list(await pipeline.execute(raise_on_error=False))


def load_script(package: str, name: str) -> LuaScript:
    """The script `name` that lies in `package`."""
    source = files(package).joinpath(name).read_bytes()
    # Redis names scripts by SHA1; nothing here depends on its strength.
    return LuaScript(source, hashlib.sha1(source, usedforsecurity=False).hexdigest())
