"""Collections: how much is in each, what failed, and up to when it is indexed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.console.listing import Listings, NamedRows, read_query
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database
from shared.sessions.console_user import ConsoleUser
from shared.views.collection_pages import CollectionPages


class CollectionSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tenant` is a name or an id."""

    tenant: str | None = None


class NamedCollection(msgspec.Struct, frozen=True):
    """One as a row with the name of its tenant, and why documents of it failed."""

    named: NamedRows
    failures: dict[str, int]


class CollectionsScreen:
    """Reads alone. Raises LedgerUnavailable, NotFound."""

    def __init__(self, database: Database) -> None:
        self._pages = CollectionPages(database)
        self._listings = Listings(database)

    def operations(self) -> Sequence[ConsoleOperation]:
        return (
            ConsoleOperation("GET", "/collections", self._page, KeyScope.READER),
            ConsoleOperation("GET", "/collections/{collection_id}", self._one, KeyScope.READER),
        )

    def topics(self) -> Sequence[Topic]:
        return ()

    async def _page(self, exchange: Exchange, _user: ConsoleUser) -> NamedRows:
        search, asked = read_query(exchange, CollectionSearch)
        page = await self._pages.page(
            tenant_id=await self._listings.tenant_id(search.tenant),
            before=asked.before,
            limit=asked.limit,
        )
        return await self._listings.of(page.rows, page.next)

    async def _one(self, exchange: Exchange, _user: ConsoleUser) -> NamedCollection:
        whole = await self._pages.one(exchange.parameters["collection_id"])
        return NamedCollection(await self._listings.one(whole.collection), whole.failures)
