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
from shared.views.batch_pages import BatchPages
from shared.views.conversation_messages import ConversationMessages
from shared.views.inbox import Inbox
from shared.views.letter_pages import LetterFilter, LetterPages
from shared.views.message_pages import MessageFilter, MessagePages
from shared.views.one_message import MessageViews
from shared.views.shown_handoff import HandoffViews
from shared.views.tenant_names import TenantNames

from .console_probes import CONSOLE_BY_HAND, CONSOLE_PROBES

ViewProbe = Callable[[Database, Clock], Awaitable[object]]
_LOOKED_AT: Final = 500
_PAGE: Final = 50


async def _messages(database: Database, _: Clock) -> object:
    messages = MessagePages(database, looked_at=_LOOKED_AT)
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
    letters = LetterPages(database, looked_at=_LOOKED_AT)
    await letters.counts()
    return await letters.page(LetterFilter(tenant_id="ten_none"), limit=_PAGE)


async def _message(database: Database, clock: Clock) -> object:
    nobody_leads: Any = None  # it is asked for what is held alone
    redis = GuardedRedis(nobody_leads, clock, timeout_seconds=1)
    return await MessageViews(database, FlowBoard(redis)).show("resp_e9")


async def _batch(database: Database, clock: Clock) -> object:
    batches = BatchPages(database, clock)
    await batches.page(limit=_PAGE)
    return await batches.one("batch_o1")


VIEW_PROBES: Final[dict[str, ViewProbe]] = {
    "MessagePages.page": _messages,
    "ConversationMessages.page": _conversation,
    "LetterPages.page": _letters,
    "Inbox.page": lambda database, _: Inbox(database).page(limit=_PAGE),
    "MessageViews.show": _message,
    "BatchPages.page": _batch,
    "TenantNames.of": lambda database, _: TenantNames(database).of(["ten_7", "ten_8", "ten_none"]),
    "TenantNames.id_of": lambda database, _: TenantNames(database).id_of("tenant 7"),
    "HandoffViews.show": lambda database, clock: HandoffViews(
        database, ContextSettings(), clock
    ).show("hand_9"),
    **CONSOLE_PROBES,
}
PARTS_OF_VIEWS: Final = {
    "LetterPages.counts": "LetterPages.page",
    "BatchPages.one": "BatchPages.page",
    "ProgressOfBatches.of": "BatchPages.page",
}
VIEWS_BY_HAND: Final = {
    # Both are bounded by what they count: some thousands of rows, read when a person looks.
    "Inbox": {"counts"},
    "CollectionPages": {"page", "one"},
    **CONSOLE_BY_HAND,
    # It looks once for each tenant there is.
    "ConversationMessages": {"tenants"},
}
