"""What is asked of figures, and the statements that ask it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Select,
    String,
    Tuple,
    cast,
    func,
    literal,
    select,
    tuple_,
    union_all,
)

from shared.errors import InvalidRequest
from shared.persistence.columns import UtcDateTime
from shared.rollups.cubes import ATTEMPTS, CUBES, DOORS, Cube, Dimension
from shared.rollups.spans import SpanPiece
from shared.rollups.tables import EVERYBODY
from shared.rollups.tally import RollupKey

_ALWAYS_TOLD: Final = {ATTEMPTS.name: Dimension.ERROR, DOORS.name: Dimension.REASON}


class RollupQuestion:
    """By which names is asked, and with which values of some.

    Raises InvalidRequest for names that are not kept together.
    """

    def __init__(self, by: Sequence[Dimension], where: Mapping[Dimension, str]) -> None:
        self.by, self.where = tuple(by), dict(where)
        names = frozenset((*by, *where))
        self._is_of_tenants = Dimension.TENANT in names
        if self._is_of_tenants and Dimension.WORKER in names:
            raise InvalidRequest("Figures of workers are not kept by tenant. Ask for one of them.")
        self.cubes = [cube for cube in CUBES if cube.has(names)]
        if not self.cubes:
            told = ", ".join(sorted(names))
            raise InvalidRequest(f"No figures are kept by {told} together. Ask for fewer of them.")

    def told(self, cube: Cube) -> tuple[Dimension, ...]:
        """The names that are told of its rows: those of the question, and why something failed."""
        more = _ALWAYS_TOLD.get(cube.name)
        return self.by if more is None or more in self.by else (*self.by, more)

    def statement(self, cube: Cube, pieces: Sequence[SpanPiece], *, by_time: bool) -> Select[Any]:
        """The names that are told, then the time or NULL, then the sums."""
        # One read of an index for each piece: an OR of them would read all in between.
        parts = union_all(*(self._rows_of(cube, piece) for piece in pieces)).subquery("parts").c
        groups = [parts[name.value] for name in self.told(cube)]
        if by_time:
            groups.append(parts.starts_at)
        sums = [cast(func.sum(parts[name]), BigInteger) for name in cube.sums]
        return select(*groups, *sums).group_by(*groups)

    def tallied(
        self, cube: Cube, key: RollupKey, pieces: Iterable[SpanPiece]
    ) -> tuple[tuple[str, ...], datetime] | None:
        """The names that are told of a row that is not folded yet, and its time; None where nobody
        asked for it."""
        if (key.tenant_id == EVERYBODY) is self._is_of_tenants:
            return None
        if any(_value(cube, key, name) != value for name, value in self.where.items()):
            return None
        starts = datetime.fromtimestamp(key.starts, UTC)
        if not any(each.resolution == key.seconds and each.holds(starts) for each in pieces):
            return None
        return tuple(_value(cube, key, name) for name in self.told(cube)), starts

    def _rows_of(self, cube: Cube, piece: SpanPiece) -> Select[Any]:
        columns, tenant_id = cube.table.c, self._tenant
        query = select(cube.table).where(columns.seconds == int(piece.resolution))
        if tenant_id is None:
            query = query.where(
                columns.starts_at >= piece.begin,
                columns.starts_at < piece.end,
                columns.tenant_id != EVERYBODY,
            )
        else:
            # As the key has them: of a table whose size it does not know, Postgres would read all
            # tenants of that time.
            key = tuple_(columns.tenant_id, columns.starts_at)
            query = query.where(
                key >= _key(tenant_id, piece.begin), key < _key(tenant_id, piece.end)
            )
        others = ((name, value) for name, value in self.where.items() if name != Dimension.TENANT)
        return query.where(*(columns[name.value] == value for name, value in others))

    @property
    def _tenant(self) -> str | None:
        """Whose rows are read; None for those of each."""
        if not self._is_of_tenants:
            return EVERYBODY
        return self.where.get(Dimension.TENANT)


def _key(tenant_id: str, moment: datetime) -> Tuple:
    return tuple_(literal(tenant_id, String), literal(moment, UtcDateTime))


def _value(cube: Cube, key: RollupKey, name: Dimension) -> str:
    return key.tenant_id if name is Dimension.TENANT else key.names[cube.dimensions.index(name)]
