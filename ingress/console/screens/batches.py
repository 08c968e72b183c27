"""Batches: how far each is, what it costs, and its end."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from ingress.api.batches.results import ResultPieces
from ingress.api.http.exchange import Exchange
from ingress.console.listing import Listings, NamedRows, read_query
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from ingress.console.recorded import RecordedActs
from ingress.patience import Patience
from shared.batches.catalogue import BatchCatalogue
from shared.batches.items import BatchItems
from shared.batches.result_lines import ResultKind
from shared.clock import Clock
from shared.files.database_content import DatabaseContent
from shared.files.file_catalogue import FileCatalogue
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database
from shared.sessions.console_user import ConsoleUser
from shared.views.batch_pages import BatchPages


class BatchSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`tenant` is a name or an id."""

    tenant: str | None = None


class ResultSearch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which of a batch's results."""

    kind: ResultKind = ResultKind.OUTPUT


class BatchesScreen:
    """Raises LedgerUnavailable, NotFound, and Conflict for the cancelling of what has ended."""

    def __init__(self, database: Database, clock: Clock, acts: RecordedActs) -> None:
        self._pages = BatchPages(database, clock)
        self._catalogue = BatchCatalogue(database, clock)
        self._listings = Listings(database)
        self._acts = acts
        self._results = ResultPieces(
            BatchItems(database),
            FileCatalogue(database, clock),
            DatabaseContent(database),
            Patience(database.timeout_seconds),
        )

    def operations(self) -> Sequence[ConsoleOperation]:
        one = "/batches/{batch_id}"
        return (
            ConsoleOperation("GET", "/batches", self._page, KeyScope.READER),
            ConsoleOperation("GET", one, self._one, KeyScope.READER),
            ConsoleOperation("GET", f"{one}/results", self._download, KeyScope.READER),
            ConsoleOperation("POST", f"{one}/cancel", self._cancel, KeyScope.OPERATOR),
        )

    def topics(self) -> Sequence[Topic]:
        return ()

    async def _page(self, exchange: Exchange, _user: ConsoleUser) -> NamedRows:
        search, asked = read_query(exchange, BatchSearch)
        page = await self._pages.page(
            tenant_id=await self._listings.tenant_id(search.tenant),
            before=asked.before,
            limit=asked.limit,
        )
        return await self._listings.of(page.rows, page.next)

    async def _one(self, exchange: Exchange, _user: ConsoleUser) -> NamedRows:
        return await self._listings.one(await self._pages.one(exchange.parameters["batch_id"]))

    async def _download(self, exchange: Exchange, _user: ConsoleUser) -> None:
        search, _ = read_query(exchange, ResultSearch)
        named = await self._pages.one(exchange.parameters["batch_id"])
        found = await self._catalogue.find(named.id, tenant_id=named.tenant_id)
        name = f'attachment; filename="{found.id}-{search.kind}.jsonl"'
        headers = [(b"content-disposition", name.encode()), (b"cache-control", b"no-store")]
        await self._results.answer(exchange, found, search.kind, headers=headers)

    async def _cancel(self, exchange: Exchange, user: ConsoleUser) -> NamedRows:
        named = await self._pages.one(exchange.parameters["batch_id"])
        async with self._acts.doing(user, "batch.cancel", named.id):
            await self._catalogue.cancel(named.id, tenant_id=named.tenant_id)
        return await self._listings.one(await self._pages.one(named.id))
