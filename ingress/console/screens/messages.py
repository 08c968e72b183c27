"""The messages: all of them, those of a conversation, and one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.console.listing import AskedPage, Listings, NamedRows, read_query
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from shared.dispatch.flows import FlowBoard
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database
from shared.redis.guarded import GuardedRedis
from shared.sessions.console_user import ConsoleUser
from shared.views.conversation_messages import ConversationMessages
from shared.views.message_pages import MessageFilter, MessagePages, MessageRow
from shared.views.one_message import MessageViews, OneMessage


class MessageSearch(MessageFilter, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tenant` is a name or an id. Of a conversation all is shown: other filters do not hold."""

    tenant: str | None = None
    conversation: str | None = None


class MessagesScreen:
    """Reads alone. Raises LedgerUnavailable, NotFound for an unknown message."""

    def __init__(self, database: Database, redis: GuardedRedis) -> None:
        self._messages = MessagePages(database)
        self._conversations = ConversationMessages(database)
        self._views = MessageViews(database, FlowBoard(redis))
        self._listings = Listings(database)

    def operations(self) -> Sequence[ConsoleOperation]:
        return (
            ConsoleOperation("GET", "/messages", self._page, KeyScope.READER),
            ConsoleOperation("GET", "/messages/{message_id}", self._one, KeyScope.READER),
        )

    def topics(self) -> Sequence[Topic]:
        return ()

    async def _page(self, exchange: Exchange, _user: ConsoleUser) -> NamedRows:
        search, asked = read_query(exchange, MessageSearch)
        tenant_id = await self._listings.tenant_id(search.tenant or search.tenant_id)
        if search.conversation:
            return await self._conversation(search.conversation, tenant_id, asked)
        wanted = _filter(search, tenant_id)
        page = await self._messages.page(wanted, before=asked.before, limit=asked.limit)
        return await self._listings.of(page.rows, page.next, page.looked_back_to)

    async def _conversation(self, name: str, tenant_id: str | None, asked: AskedPage) -> NamedRows:
        """Where several tenants have one of this name, the first page of each is shown."""
        found = self._conversations
        owners = [tenant_id] if tenant_id else await found.tenants(name)
        if len(owners) == 1:
            page = await found.page(owners[0], name, before=asked.place, limit=asked.limit)
            return await self._listings.of(page.rows, page.next)
        rows: list[MessageRow] = []
        for owner in owners:
            rows += (await found.page(owner, name, limit=asked.limit)).rows
        return await self._listings.of(rows, None)

    async def _one(self, exchange: Exchange, _user: ConsoleUser) -> OneMessage:
        return await self._views.show(exchange.parameters["message_id"])


def _filter(search: MessageSearch, tenant_id: str | None) -> MessageFilter:
    fields: dict[str, Any] = {
        name: getattr(search, name) for name in MessageFilter.__struct_fields__
    }
    return msgspec.convert(fields | {"tenant_id": tenant_id}, MessageFilter)
