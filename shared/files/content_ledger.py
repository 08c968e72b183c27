"""Accepting a message with its large content: one commit names the content and the message."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.errors import Conflict, LedgerUnavailable
from shared.files.content_store import ContentStore
from shared.files.drafts import BEGIN_DRAFT, SEAL_DRAFT, UNTOUCHED, stood_still
from shared.files.message_contents import MessageContents
from shared.files.tables import message_content
from shared.files.tenant_storage import TenantStorage
from shared.identifiers import CONTENT, new_id
from shared.large_content import Pieces
from shared.messages.record import MessageRecord
from shared.messages.stored_body import NO_CONTENTS, Contents
from shared.persistence.engine import Database
from shared.persistence.ledger.accepting import AcceptOutcome
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.statements import insert_new, reading, transaction
from shared.resilience.group_commit import GroupCommit

_AT_ONCE: Final = 2


class LargeMessage(NamedTuple):
    """A message, and the content that its body refers to."""

    record: MessageRecord
    contents: Contents


class ContentLedger:
    """The ledger, for messages that may have large content.

    Content is written first, as a draft that goes by itself. The commit of the message gives it a
    digest and names it for the message, behind the lock under which content loses its names: so
    content that a message refers to is there for as long as the message is, and content of which
    the commit did not come is not. What the tenant has already is only named. Everything raises
    LedgerUnavailable.
    """

    def __init__(
        self, ledger: MessageLedger, database: Database, store: ContentStore, clock: Clock
    ) -> None:
        self._ledger = ledger
        self._database = database
        self._store = store
        self._clock = clock
        self._storage = TenantStorage(database)
        self.contents = MessageContents(database, store)
        self._name = insert_new(message_content, sqlite_dialect=database.is_sqlite)
        # As with a group of small ones: whoever gives up waiting does not end it.
        self._large: GroupCommit[LargeMessage, AcceptOutcome] = GroupCommit(
            self.flush, limit=1, concurrency=1 if database.is_sqlite else _AT_ONCE
        )

    def accept(
        self, record: MessageRecord, contents: Contents = NO_CONTENTS
    ) -> asyncio.Future[AcceptOutcome]:
        """Put a message on disk, or say which one its idempotency key already names."""
        if not contents:
            return self._ledger.accept(record)
        return self._large.submit(LargeMessage(record, contents))

    async def close(self) -> None:
        """Write what waits, here and in the ledger."""
        await self._large.close()
        await self._ledger.close()

    async def flush(self, large: list[LargeMessage]) -> Sequence[AcceptOutcome | BaseException]:
        """The outcome of the one message there is."""
        (message,) = large
        with suppress(Conflict):
            return await self._commit(message, await self._lacking(message))
        # It lost its last name between the look and the lock.
        try:
            return await self._commit(message, message.contents)
        except Conflict as error:
            raise LedgerUnavailable(
                "An image or a file of the message was removed a moment ago. Try again.",
                retry_after_seconds=1.0,
            ) from error

    async def _lacking(self, message: LargeMessage) -> Contents:
        async with reading(self._database.relaxed) as connection:
            known = await self._there(connection, message)
        return {key: pieces for key, pieces in message.contents.items() if key not in known}

    async def _commit(
        self, message: LargeMessage, unwritten: Contents
    ) -> Sequence[AcceptOutcome | BaseException]:
        record, accepting = message.record, self._ledger.accepting
        drafts = {
            digest: await self._draft(record.tenant_id, pieces)
            for digest, pieces in unwritten.items()
            if pieces
        }
        async with transaction(self._database.durable) as connection:
            await self._storage.lock(connection, record.tenant_id)
            inserted = await accepting.insert(connection, [record])
            if inserted:
                await self._refer(connection, message, drafts)
        return await accepting.outcomes([record], inserted)

    async def _draft(self, tenant_id: str, pieces: Pieces) -> str:
        content_id, until = new_id(CONTENT), self._clock.now() + UNTOUCHED
        row = {"id": content_id, "tenant_id": tenant_id, "bytes": 0, "removable_at": until}
        async with transaction(self._database.relaxed) as connection:
            await connection.execute(BEGIN_DRAFT, row)
        for ordinal, piece in enumerate(pieces):
            await self._store.write(content_id, ordinal, piece)
        return content_id

    async def _refer(
        self, connection: AsyncConnection, message: LargeMessage, drafts: Mapping[str, str]
    ) -> None:
        there = await self._there(connection, message)
        for digest, pieces in message.contents.items():
            if digest not in there:
                there[digest] = await self._seal(connection, digest, pieces, drafts.get(digest))
        rows = [{"message_id": message.record.id, "content_id": each} for each in there.values()]
        await connection.execute(self._name, rows)

    async def _seal(
        self, connection: AsyncConnection, digest: str, pieces: Pieces, draft_id: str | None
    ) -> str:
        now, size = self._clock.now(), sum(map(len, pieces))
        sealed = {"b_id": draft_id, "b_now": now, "b_digest": digest, "b_bytes": size}
        if draft_id is None or not (await connection.execute(SEAL_DRAFT, sealed)).rowcount:
            raise stood_still()
        return draft_id

    async def _there(self, connection: AsyncConnection, message: LargeMessage) -> dict[str, str]:
        """The ids of the contents that the tenant has, by their digests."""
        known = await self.contents.known(
            connection, message.contents, tenant_id=message.record.tenant_id
        )
        return {digest: each.id for digest, each in known.items()}
