"""The statements of conversations, and how to run them on a full ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from msgspec.structs import replace

from shared.clock import Clock
from shared.conversations.catalogue import Conversations
from shared.conversations.history import ConversationRepository
from shared.conversations.joining import NamedItem
from shared.conversations.references import ReferencedItems
from shared.conversations.sweeps import ConversationSweeps
from shared.messages.item import MessageItem, Role
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database
from shared.settings.servers import LedgerSettings

ConversationProbe = Callable[[Database, MessageRecord, Clock], Awaitable[object]]
"""Of a message of somebody's turn, whose fields may be replaced."""
_NEW: Final = [NamedItem(f"item_new{number}", MessageItem(Role.USER, "Hi")) for number in range(20)]


async def _said(database: Database, turn: MessageRecord, _: Clock) -> object:
    history = ConversationRepository(database)
    in_conversation = [replace(turn, conversation_id=name) for name in ("conv_resp_e8", "conv_k1")]
    for each in (*in_conversation, replace(turn, previous_id="resp_e9")):
        earlier, _ = await history.before(each, [], limit=10, limit_bytes=100_000)
        assert earlier
    return None


async def _within(database: Database, _: MessageRecord, __: Clock) -> object:
    history = ConversationRepository(database)
    return await history.within("ten_1", "conv_k1", limit=10, limit_bytes=100_000)


async def _referenced(database: Database, _: MessageRecord, __: Clock) -> object:
    ids = [f"{kind}_{number:032x}" for kind in ("msg", "item") for number in range(32)]
    items = ReferencedItems(database)
    return await items.find(ids, tenant_id="ten_1", limit_bytes=100_000)


def _of(conversation_id: str, act: Callable[[Conversations, str], Awaitable[object]]) -> Any:
    return lambda database, _, clock: act(Conversations(database, clock), conversation_id)


CONVERSATION_PROBES: Final[dict[str, ConversationProbe]] = {
    "ConversationRepository.before": _said,
    "ConversationRepository.within": _within,
    "ReferencedItems.find": _referenced,
    "Conversations.create": _of("", lambda all_, _: all_.create("ten_1", {}, _NEW)),
    "Conversations.find": _of("conv_resp_e8", lambda all_, name: all_.find("ten_1", name)),
    "Conversations.check": _of("conv_k8", lambda all_, name: all_.check("ten_1", name)),
    "Conversations.describe": _of(
        "conv_k9", lambda all_, name: all_.describe("ten_1", name, {"a": "b"})
    ),
    "Conversations.add": _of("conv_resp_e10", lambda all_, name: all_.add("ten_1", name, _NEW)),
    "Conversations.remove": _of(
        "conv_resp_e11", lambda all_, name: all_.remove("ten_1", name, "msg_e11")
    ),
    "Conversations.delete": _of("conv_k12", lambda all_, name: all_.delete("ten_1", name)),
    "ConversationSweeps.forget_old": lambda database, _, clock: ConversationSweeps(
        database, LedgerSettings(), clock
    ).forget_old(limit=250),  # each of three kinds
}
