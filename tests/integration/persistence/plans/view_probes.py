"""What people look at, read from a full ledger: a page must not cost what the ledger holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from shared.clock import Clock
from shared.dispatch.flows import FlowBoard
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.redis.guarded import GuardedRedis
from shared.settings.turn.context import ContextSettings
from shared.views.batch_list import BatchList
from shared.views.conversation_messages import ConversationMessages
from shared.views.inbox import Inbox
from shared.views.letter_list import LetterFilter, LetterList
from shared.views.message_list import MessageFilter, MessageList
from shared.views.one_message import MessageViews
from shared.views.waiting_message import WaitingMessages

ViewProbe = Callable[[Database, Clock], Awaitable[object]]
_LOOKED_AT: Final = 500
_PAGE: Final = 50


async def _messages(database: Database, _: Clock) -> object:
    messages = MessageList(database, looked_at=_LOOKED_AT)
    plain = await messages.page(MessageFilter(), limit=_PAGE)
    assert len(plain.rows) == _PAGE
    nobody = MessageFilter(tenant_id="ten_none", state=ResponseState.FAILED)
    found = await messages.page(nobody, before=plain.next, limit=_PAGE)
    assert found.next is not None
    return found


async def _conversation(database: Database, _: Clock) -> object:
    page = await ConversationMessages(database).page("ten_1", "conv_resp_e9", limit=_PAGE)
    assert page.rows
    return page


async def _letters(database: Database, _: Clock) -> object:
    letters = LetterList(database, looked_at=_LOOKED_AT)
    await letters.counts()
    return await letters.page(LetterFilter(tenant_id="ten_none"), limit=_PAGE)


async def _message(database: Database, clock: Clock) -> object:
    nobody_leads: Any = None  # it is asked for what is held alone
    redis = GuardedRedis(nobody_leads, clock, timeout_seconds=1)
    return await MessageViews(database, FlowBoard(redis)).show("resp_e9")


async def _batch(database: Database, clock: Clock) -> object:
    batches = BatchList(database, clock)
    await batches.page(limit=_PAGE)
    return await batches.one("batch_o1")


VIEW_PROBES: Final[dict[str, ViewProbe]] = {
    "MessageList.page": _messages,
    "ConversationMessages.page": _conversation,
    "LetterList.page": _letters,
    "Inbox.page": lambda database, _: Inbox(database).page(limit=_PAGE),
    "MessageViews.show": _message,
    "BatchList.page": _batch,
    "WaitingMessages.show": lambda database, clock: WaitingMessages(
        database, ContextSettings(), clock
    ).show("hand_9"),
}
PARTS_OF_VIEWS: Final = {
    "LetterList.counts": "LetterList.page",
    "BatchList.one": "BatchList.page",
    "ProgressOfBatches.of": "BatchList.page",
}
VIEWS_BY_HAND: Final = {
    # Both are bounded by what they count: some thousands of rows, read when a person looks.
    "Inbox": {"counts"},
    "CollectionList": {"page", "one"},
    # It looks once for each tenant there is.
    "ConversationMessages": {"tenants"},
}
