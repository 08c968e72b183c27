"""A page of a list, as the console is told it, and what is asked for with one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.http.query import page_limit
from shared.errors import InvalidRequest
from shared.persistence.engine import Database
from shared.views.place import Place
from shared.views.tenant_names import TenantNames

ROWS: Final = 50
MOST_ROWS: Final = 200
T = TypeVar("T")


class AskedPage(msgspec.Struct, frozen=True):
    """Which page of a list: how many rows, and from where on."""

    limit: int
    before: str | None

    @property
    def place(self) -> Place | None:
        """From where on, in a list that is in the order of a time; raises InvalidRequest."""
        return None if self.before is None else Place.read(self.before)


class Everything(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of a list that cannot be narrowed down."""


class NamedRows(msgspec.Struct, frozen=True, kw_only=True):
    """`tenants` are the names of those that the rows name by id."""

    rows: Sequence[Any]
    next: str | None
    tenants: dict[str, str]
    looked_back_to: datetime | None = None


class Listings:
    """Puts names beside rows; raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._names = TenantNames(database)

    async def of(
        self, rows: Sequence[Any], following: str | None, looked_back_to: datetime | None = None
    ) -> NamedRows:
        """Rows that have a `tenant_id`."""
        names = await self._names.of(row.tenant_id for row in rows)
        return NamedRows(rows=rows, next=following, tenants=names, looked_back_to=looked_back_to)

    async def one(self, row: Any) -> NamedRows:
        """A single row that has a `tenant_id`."""
        return await self.of((row,), None)

    async def tenant_id(self, name_or_id: str | None) -> str | None:
        """The id of the tenant that was asked for, if one was."""
        return None if not name_or_id else await self._names.id_of(name_or_id)


def read_query(exchange: Exchange, kind: type[T]) -> tuple[T, AskedPage]:
    """What was asked for, as a `kind` whose fields are the parameters, and which page of it.

    Raises InvalidRequest that names what nobody knows, or what cannot be read.
    """
    query = exchange.query()
    limit = page_limit(query, usual=ROWS, largest=MOST_ROWS)
    asked = AskedPage(limit, query.get("before") or None)
    fields = {name: value for name, value in query.items() if name not in {"limit", "before"}}
    try:
        return msgspec.convert(fields, kind, strict=False), asked
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"This cannot be looked for: {error}. Change that filter.") from error
