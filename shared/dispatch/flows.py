"""How each flow stands: what the leader of the dispatch knows, for those who explain a wait.

A flow is what one tenant has waiting in one lane.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from shared.errors import RedisUnavailable
from shared.messages.lane import Lane
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import LuaScript, ScriptCall, ScriptRun, load_script

FLOWS_KEY: Final = "forebay:dispatch:flows:{agents}"
"""The flows that have something held, there while a leader is."""

_LEADER: Final = b"leader"
_FIELDS_PER_CALL: Final = 2_000
"""Names and values: Lua takes no more than some thousands at once."""


class Flow(NamedTuple):
    """What one tenant has in one lane."""

    lane: Lane
    tenant_id: str

    @property
    def field(self) -> str:
        """Its name in the hash; no lane has a slash."""
        return f"{self.lane}/{self.tenant_id}"


class FlowFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How a flow with a backlog stood when the leader last looked, a second ago at the most.

    `share` is of all units that its lane released lately, from 0 to 1; `eta_seconds` is how long a
    message that arrives now would be held, None where that cannot be told (nothing is released).
    """

    backlog: int
    """Messages held."""
    parked: int = 0
    """Of these, messages that wait for a model to be back."""
    backlog_units: float = 0.0
    share: float = 0.0
    oldest_seconds: float = 0.0
    """How long its oldest message has been held."""
    eta_seconds: float | None = None
    reason: str = ""
    """Why it waits, as a person reads it."""


class FlowsTold(NamedTuple):
    """What is known of the flows: who leads, and their figures. A flow without has no backlog."""

    leader: str
    flows: dict[Flow, FlowFigures]


_decode = msgspec.msgpack.Decoder(FlowFigures).decode
_encode = msgspec.msgpack.Encoder().encode


class FlowBoard:
    """Where the leader writes the figures and everybody else reads them."""

    def __init__(self, redis: GuardedRedis) -> None:
        self._redis = redis
        self._script: LuaScript = load_script("shared.dispatch", "flows.lua")

    def writing(
        self, flows: Mapping[Flow, FlowFigures], *, leader: str, lease_seconds: float
    ) -> list[ScriptRun]:
        """The calls that put these in the place of what was there, for `lease_seconds`."""
        fields: list[str | bytes] = [_LEADER, leader]
        for flow, figures in flows.items():
            fields += (flow.field, _encode(figures))
        lasting = round(lease_seconds * 1000)
        return [
            (
                self._script,
                ScriptCall(
                    (FLOWS_KEY,), (lasting, int(at == 0), *fields[at : at + _FIELDS_PER_CALL])
                ),
            )
            for at in range(0, len(fields), _FIELDS_PER_CALL)
        ]

    async def of(self, flow: Flow) -> FlowsTold | None:
        """Of one flow; None where nobody leads. Raises RedisUnavailable."""
        async with self._redis.asking() as redis:
            told: list[Any] = await redis.hmget(FLOWS_KEY, [_LEADER.decode(), flow.field])
        leader, raw = told
        return _told(leader, {flow.field.encode(): raw} if raw else {})

    async def all(self) -> FlowsTold | None:
        """Of all flows with a backlog; None where nobody leads. Raises RedisUnavailable."""
        async with self._redis.asking() as redis:
            fields: dict[Any, Any] = await redis.hgetall(FLOWS_KEY)
        return _told(fields.pop(_LEADER, None), fields)


def _told(leader: bytes | None, fields: Mapping[bytes, bytes]) -> FlowsTold | None:
    if leader is None:
        return None
    try:
        flows = {_flow_of(name): _decode(raw) for name, raw in fields.items()}
    except (ValueError, msgspec.MsgspecError) as error:
        raise RedisUnavailable(f"{FLOWS_KEY} in Redis holds what is no flow: {error}") from error
    return FlowsTold(leader.decode(), flows)


def _flow_of(field: bytes) -> Flow:
    lane, _, tenant_id = field.decode().partition("/")
    return Flow(Lane(lane), tenant_id)
