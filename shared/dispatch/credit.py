"""Credits: how many messages of each lane may be handed to workers now.

The leader of the dispatch sets them, doors and the leader take them, workers give them back where a
turn ends. What is lost on the way (a door that died, a Redis that was flushed) is mended with the
leader's next count of the ledger, a second later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final, NamedTuple

from shared.messages.lane import Lane
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import LuaScript, ScriptCall, ScriptRun, load_script

CREDIT_KEY: Final = "forebay:dispatch:{agents}"
"""The lanes' credits, there while a leader is."""
HINT_CHANNEL: Final = "forebay:dispatch"
"""Where doors say that a message is held, so that the leader looks at once."""

NOBODY: Final = -1
"""What is granted of a lane that nobody dispatches."""


class Taker(StrEnum):
    """Who takes credits."""

    DOOR = "take"
    """It gets none of a lane where messages are held: those go first."""
    LEADER = "lead"


class Wanted(NamedTuple):
    """How many credits of a lane are wanted, and how many come back that were not used."""

    lane: Lane
    messages: int
    back: int = 0


class LaneSlots(NamedTuple):
    """What the leader says of a lane: credits that are free (below 0: more are out than there are
    slots), the most that may ever be free, and whether messages are held."""

    free: int
    slots: int
    has_backlog: bool


class Credits:
    """Calls of the script, for whoever has more to say to Redis in the same round trip.

    Nothing is taken below zero, and nothing comes back above a lane's slots.
    """

    def __init__(self) -> None:
        self._script: LuaScript = load_script("shared.dispatch", "credit.lua")

    def taking(self, wanted: Iterable[Wanted], *, taker: Taker = Taker.DOOR) -> ScriptRun:
        """Its outcome is for `granted`, with the same `wanted`."""
        arguments = [str(taker)]
        for lane, messages, back in wanted:
            arguments += (lane.value, str(messages), str(back))
        return self._script, ScriptCall((CREDIT_KEY,), arguments)

    def giving(self, ended: Iterable[tuple[Lane, int]]) -> ScriptRun:
        """So many turns of each lane ended; changes nothing where nobody dispatches."""
        return self.taking(Wanted(lane, 0, messages) for lane, messages in ended)

    def setting(self, lanes: Mapping[Lane, LaneSlots], *, lease_seconds: float) -> ScriptRun:
        """How all lanes stand, instead of what was there; a lane left out is not dispatched.

        It lapses after `lease_seconds`. Doors get nothing of the batch lane, whatever is free.
        """
        arguments = ["set", str(round(lease_seconds * 1000))]
        for lane, (free, slots, has_backlog) in lanes.items():
            is_barred = has_backlog or lane is Lane.BATCH
            arguments += (f"free:{lane}", str(free), f"slots:{lane}", str(slots))
            arguments += (f"backlog:{lane}", str(int(is_barred)))
        return self._script, ScriptCall((CREDIT_KEY,), arguments)


def granted(outcome: Any, wanted: Iterable[Wanted]) -> dict[Lane, int | None]:
    """How many of each lane may be handed out; None where nobody dispatches: all of them.

    So it is, too, where Redis refused (`outcome` is the error) or is away (None).
    """
    lanes = [each.lane for each in wanted]
    if not isinstance(outcome, list):
        return dict.fromkeys(lanes)
    return {
        lane: None if number == NOBODY else number
        for lane, number in zip(lanes, outcome, strict=True)
    }


async def read_lanes(redis: GuardedRedis) -> dict[Lane, LaneSlots]:
    """How the lanes stand that somebody dispatches, for people; raises RedisUnavailable.

    The batch lane always says that it has a backlog: so doors are kept from it.
    """
    async with redis.asking() as asked:
        fields: dict[Any, Any] = await asked.hgetall(CREDIT_KEY)
    told = {name.decode(): value for name, value in fields.items()}
    lanes = {}
    for lane in Lane:
        with suppress(KeyError, ValueError):
            numbers = (int(told[f"{name}:{lane}"]) for name in ("free", "slots", "backlog"))
            free, slots, backlog = numbers
            lanes[lane] = LaneSlots(free, slots, backlog == 1)
    return lanes
