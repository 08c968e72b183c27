"""What can be asked of figures: names to group by, spans of time, and which table has what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Table

from shared.rollups.tables import rollup_attempt, rollup_door, rollup_turn


class Dimension(StrEnum):
    """A name that figures have. `provider` and `error` are of attempts alone, `state`, `worker`
    and `answered_by` of messages, `reason` of what doors refused."""

    TENANT = "tenant_id"
    MODEL = "model"
    PROVIDER = "provider"
    LANE = "lane"
    STATE = "state"
    WORKER = "worker"
    VARIANT = "variant"
    ANSWERED_BY = "answered_by"
    ERROR = "error_class"
    REASON = "reason"


class Resolution(IntEnum):
    """What figures are kept of, in seconds."""

    MINUTE = 60
    HOUR = 3_600
    DAY = 86_400

    def floor(self, moment: datetime) -> datetime:
        """When the minute, hour or day began that the moment is in (UTC)."""
        whole = int(moment.timestamp()) // self * self
        return datetime.fromtimestamp(whole, UTC)

    def ceil(self, moment: datetime) -> datetime:
        """The same, but the next where the moment is within it."""
        begun = self.floor(moment)
        return begun if begun == moment else begun + timedelta(seconds=self)


class TimeSpan(NamedTuple):
    """From `begin` until before `end`, to the minute: a minute that is begun counts whole."""

    begin: datetime
    end: datetime


class Cube(NamedTuple):
    """A table of figures: by which names it knows them, and what it sums."""

    name: str
    table: Table
    dimensions: tuple[Dimension, ...]
    """All but the tenant, in the order of a key."""
    sums: tuple[str, ...]

    def has(self, dimensions: frozenset[Dimension]) -> bool:
        """Whether it knows all of them."""
        return dimensions <= {Dimension.TENANT, *self.dimensions}


def _cube(name: str, table: Table) -> Cube:
    names = {each.value for each in Dimension}
    keys = [column.name for column in table.primary_key]
    sums = tuple(column.name for column in table.columns if not column.primary_key)
    dimensions = tuple(
        Dimension(key) for key in keys if key in names and key != Dimension.TENANT.value
    )
    return Cube(name, table, dimensions, sums)


TURNS: Final = _cube("turns", rollup_turn)
ATTEMPTS: Final = _cube("attempts", rollup_attempt)
DOORS: Final = _cube("doors", rollup_door)
CUBES: Final = (TURNS, ATTEMPTS, DOORS)
