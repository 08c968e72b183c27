"""The statements of conversations, and how to run them on a full ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from msgspec.structs import replace

from shared.conversations.history import ConversationRepository
from shared.conversations.references import ReferencedItems
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database

ConversationProbe = Callable[[Database, MessageRecord], Awaitable[object]]
"""Of a message that is named in it: a message of the turn, whose fields may be replaced."""


async def _said(database: Database, turn: MessageRecord) -> object:
    conversations = ConversationRepository(database)
    in_conversation = replace(turn, conversation_id="conv_resp_e8")
    after_another = replace(turn, previous_id="resp_e9")
    for each in (in_conversation, after_another):
        earlier, _ = await conversations.before(each, [], limit=10, limit_bytes=100_000)
        assert earlier
    return None


async def _referenced(database: Database, _: MessageRecord) -> object:
    ids = [f"{kind}_{number:032x}" for kind in ("msg", "item") for number in range(32)]
    items = ReferencedItems(database)
    return await items.find(ids, tenant_id="ten_1", limit_bytes=100_000)


CONVERSATION_PROBES: Final[dict[str, ConversationProbe]] = {
    "ConversationRepository.before": _said,
    "ReferencedItems.find": _referenced,
}
