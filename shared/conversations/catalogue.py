"""What callers do with conversations: make, describe and delete them, put items in and take out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.conversations.joining import NamedItem
from shared.conversations.tables import conversation, conversation_item
from shared.errors import InvalidRequest, NotFound
from shared.identifiers import CONVERSATION, new_id
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading, transaction, upsert
from shared.persistence.tables import message

TAKEN_OUT: Final = 1_000
"""The ordinal of a row that takes an item out: it is read before what was said at its time."""


class StoredConversation(msgspec.Struct, frozen=True):
    """A conversation, without its items. `notes` is what its callers attached to it."""

    id: str
    created_at: datetime
    notes: dict[str, str]


class Conversations:
    """Conversations of a tenant, by their ids; everything raises LedgerUnavailable.

    What was answered in a conversation is in the ledger already, and is read from there: nothing
    is written for it when a turn is settled, and a response that is deleted is gone from its
    conversation with the same statement. Kept here is only what the ledger does not know. So
    there is a conversation by a caller's own id from its first message on; one that was deleted
    is remembered until the last of its messages is forgotten, so that none of them comes back.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._insert = insert_new(conversation, sqlite_dialect=database.is_sqlite)
        put_in = upsert(conversation_item, sqlite_dialect=database.is_sqlite)
        self._put_in = put_in.on_conflict_do_update(
            index_elements=conversation_item.primary_key,
            set_={name: put_in.excluded[name] for name in ("said_at", "ordinal", "item")},
            where=conversation_item.c.item.is_(None),
        ).returning(conversation_item.c.id)

    async def create(
        self, tenant_id: str, notes: dict[str, str], items: Sequence[NamedItem]
    ) -> StoredConversation:
        """A new one, with what was said in it so far; raises InvalidRequest for an id twice."""
        made = StoredConversation(new_id(CONVERSATION), self._clock.now(), notes)
        async with transaction(self._database.durable) as connection:
            await connection.execute(self._insert.values(_row(tenant_id, made)))
            await self._add(connection, tenant_id, made.id, items)
        return made

    async def find(self, tenant_id: str, conversation_id: str) -> StoredConversation:
        """The conversation; raises NotFound."""
        async with reading(self._database.relaxed) as connection:
            return await self._find(connection, tenant_id, conversation_id)

    async def check(self, tenant_id: str, conversation_id: str) -> None:
        """Raises NotFound where it was deleted: any other id begins or goes on with one."""
        where = _is(tenant_id, conversation_id)
        query = select(conversation.c.deleted_at).where(*where)
        async with reading(self._database.relaxed) as connection:
            if await connection.scalar(query) is not None:
                raise deleted_conversation(conversation_id)

    async def describe(
        self, tenant_id: str, conversation_id: str, notes: dict[str, str]
    ) -> StoredConversation:
        """Attach these notes in place of those before; raises NotFound."""
        async with transaction(self._database.durable) as connection:
            found = await self._held(connection, tenant_id, conversation_id)
            where = _is(tenant_id, conversation_id)
            await connection.execute(
                update(conversation).where(*where).values(notes=_encoded(notes))
            )
        return msgspec.structs.replace(found, notes=notes)

    async def delete(self, tenant_id: str, conversation_id: str) -> None:
        """Forget what was put into it and attached to it, and tell no model what was said in it.

        Its responses stay, each by its own id. Raises NotFound.
        """
        async with transaction(self._database.durable) as connection:
            await self._held(connection, tenant_id, conversation_id)
            await connection.execute(
                update(conversation)
                .where(*_is(tenant_id, conversation_id))
                .values(notes=None, deleted_at=self._clock.now())
            )
            await connection.execute(
                delete(conversation_item).where(*_in(tenant_id, conversation_id))
            )

    async def add(self, tenant_id: str, conversation_id: str, items: Sequence[NamedItem]) -> None:
        """Put items at its end; raises NotFound, and InvalidRequest for an id that is there."""
        async with transaction(self._database.durable) as connection:
            await self._held(connection, tenant_id, conversation_id)
            await self._add(connection, tenant_id, conversation_id, items)

    async def remove(self, tenant_id: str, conversation_id: str, item_id: str) -> None:
        """Take the item of that id out of it: what was put there is forgotten, and what came with
        a message stays with its response alone. Raises NotFound for the conversation.
        """
        async with transaction(self._database.durable) as connection:
            await self._held(connection, tenant_id, conversation_id)
            # Not before the end of what it is in, whatever the clock of its worker said.
            of_messages = _of_messages(tenant_id, conversation_id)
            newest = await connection.scalar(
                select(func.max(message.c.finished_at)).where(*of_messages)
            )
            now = self._clock.now()
            out = {"said_at": max(now, newest or now), "ordinal": TAKEN_OUT, "item": None}
            row = out | {"tenant_id": tenant_id, "conversation_id": conversation_id, "id": item_id}
            await connection.execute(
                upsert(conversation_item, sqlite_dialect=self._database.is_sqlite)
                .values(row)
                .on_conflict_do_update(index_elements=conversation_item.primary_key, set_=out)
            )

    async def _held(
        self, connection: AsyncConnection, tenant_id: str, conversation_id: str
    ) -> StoredConversation:
        """The conversation, which nobody deletes before this transaction ends."""
        found = await self._find(connection, tenant_id, conversation_id)
        await connection.execute(self._insert.values(_row(tenant_id, found)))
        query = select(conversation.c.deleted_at).where(*_is(tenant_id, conversation_id))
        if await connection.scalar(query.with_for_update()) is not None:
            raise unknown_conversation(conversation_id)
        return found

    async def _find(
        self, connection: AsyncConnection, tenant_id: str, conversation_id: str
    ) -> StoredConversation:
        query = select(conversation).where(*_is(tenant_id, conversation_id))
        row = (await connection.execute(query)).one_or_none()
        if row is not None and row.deleted_at is None:
            return StoredConversation(row.id, row.created_at, _decoder.decode(row.notes or "{}"))
        began = None
        if row is None:
            first = select(message.c.accepted_at).where(*_of_messages(tenant_id, conversation_id))
            began = await connection.scalar(first.order_by(message.c.finished_at).limit(1))
        if began is None:
            raise unknown_conversation(conversation_id)
        return StoredConversation(conversation_id, began, {})

    async def _add(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        conversation_id: str,
        items: Sequence[NamedItem],
    ) -> None:
        if not items:
            return
        now = self._clock.now()
        rows = [
            {
                "tenant_id": tenant_id,
                "conversation_id": conversation_id,
                "id": each.id,
                "said_at": now,
                "ordinal": ordinal,
                "item": msgspec.json.encode(each.item).decode(),
            }
            for ordinal, each in enumerate(items)
        ]
        # What was taken out may be put in again, and stands then where it is put.
        is_new = len({each.id for each in items}) == len(items)
        added = is_new and await connection.scalars(self._put_in.values(rows))
        if not added or len(added.all()) < len(items):
            raise InvalidRequest(
                "'items' has the id of an item that was put into this conversation before, or has "
                "one twice. Leave the ids out.",
                param="items",
            )


def unknown_conversation(conversation_id: str) -> NotFound:
    """There is none, or it is another tenant's: the caller cannot tell which."""
    return NotFound(
        f"Conversation with id '{conversation_id[:128]}' not found.", param="conversation_id"
    )


def deleted_conversation(conversation_id: str) -> NotFound:
    """A message may not go on with it."""
    return NotFound(
        f"Conversation with id '{conversation_id[:128]}' was deleted. Name another one as "
        "'conversation', or none, and send the message again.",
        param="conversation",
        kind="conversation_not_found",
    )


def _is(tenant_id: str, conversation_id: str) -> tuple[ColumnElement[bool], ...]:
    return conversation.c.tenant_id == tenant_id, conversation.c.id == conversation_id


def _in(tenant_id: str, conversation_id: str) -> tuple[ColumnElement[bool], ...]:
    item = conversation_item.c
    return item.tenant_id == tenant_id, item.conversation_id == conversation_id


def _of_messages(tenant_id: str, conversation_id: str) -> tuple[ColumnElement[bool], ...]:
    return message.c.tenant_id == tenant_id, message.c.conversation_id == conversation_id


def _row(tenant_id: str, found: StoredConversation) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": found.id,
        "notes": _encoded(found.notes),
        "created_at": found.created_at,
    }


def _encoded(notes: dict[str, str]) -> str | None:
    return msgspec.json.encode(notes).decode() if notes else None


_decoder: Final = msgspec.json.Decoder(dict[str, str])
