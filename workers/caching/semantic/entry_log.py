"""The log of a namespace's questions: one Redis stream that every worker reads on from its place.

`forebay:semantic:{namespace}` holds additions and removals in order. A reader asks for what came
after the last it saw, which is nothing most of the time and costs one small round trip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from shared.redis.guarded import GuardedRedis
from workers.caching.semantic.entry import Change, Removal, SemanticEntry

START: Final = b"0-0"
_Field: TypeAlias = "bytes | bytearray | memoryview[int] | str | int | float"
_PREFIX: Final = "forebay:semantic:"


@dataclass(frozen=True, slots=True)
class Piece:
    """What one read brought."""

    changes: list[Change]
    last: bytes
    """Where to read on from."""
    is_full: bool
    """There may be more."""


class EntryLog:
    """Raises RedisUnavailable. Vectors of another `model` are in a log of their own."""

    def __init__(
        self, redis: GuardedRedis, *, model: str, max_entries: int, ttl_seconds: float
    ) -> None:
        self._redis = redis
        self._model = model
        self._max_entries = max_entries
        self._keep_ms = int(ttl_seconds * 1000)

    async def append(self, namespace: str, *changes: Change) -> None:
        """Tell every worker. The oldest go when there are too many, all when none comes."""
        key = self._key(namespace)
        async with self._redis.asking() as redis, redis.pipeline(transaction=False) as pipeline:
            for change in changes:
                pipeline.xadd(key, _fields(change), maxlen=self._max_entries, approximate=True)
            pipeline.pexpire(key, self._keep_ms)
            await pipeline.execute()

    async def read_all(self, places: Mapping[str, bytes], *, limit: int) -> dict[str, Piece]:
        """For each namespace at most `limit` changes after its place, in one round trip."""
        async with self._redis.asking() as redis, redis.pipeline(transaction=False) as pipeline:
            for namespace, after in places.items():
                pipeline.xrange(self._key(namespace), min=b"(" + after, count=limit)
            answers = await pipeline.execute()
        return {
            namespace: _piece(found, after, limit)
            for (namespace, after), found in zip(places.items(), answers, strict=True)
        }

    def _key(self, namespace: str) -> str:
        return f"{_PREFIX}{self._model}:{namespace}"


def _piece(found: list[tuple[bytes, dict[bytes, bytes]]], after: bytes, limit: int) -> Piece:
    return Piece(
        changes=[_change(fields) for _, fields in found],
        last=found[-1][0] if found else after,
        is_full=len(found) == limit,
    )


def _fields(change: Change) -> dict[_Field, _Field]:
    if isinstance(change, Removal):
        return {"r": change.id}
    return {"i": change.id, "t": change.text, "x": change.expires_at, "v": change.vector}


def _change(fields: dict[bytes, bytes]) -> Change:
    if b"r" in fields:
        return Removal(fields[b"r"].decode())
    return SemanticEntry(
        id=fields[b"i"].decode(),
        text=fields[b"t"].decode(),
        expires_at=float(fields[b"x"]),
        vector=fields[b"v"],
    )
