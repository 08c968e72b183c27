"""/v1/conversations: make one, read it, describe it, delete it; and the items in it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

from ingress.api.conversations.paging import PageRequest, checked_query
from ingress.api.conversations.told_item import item_list, told_item
from ingress.api.door import Door
from ingress.api.http.exchange import Exchange
from ingress.authentication import Caller
from ingress.patience import Patience
from shared.conversations.catalogue import Conversations, StoredConversation, unknown_conversation
from shared.conversations.history import ConversationRepository
from shared.conversations.joining import NamedItem
from shared.decoding import Json, decode_json, whole_json
from shared.errors import InvalidRequest, NotFound
from shared.files.message_contents import MessageContents
from shared.identifiers import ITEM, new_id
from shared.messages.body import Body, Metadata
from shared.messages.item import ItemReference
from shared.messages.requests.calls import check_each, check_text
from shared.messages.requests.unsupported import explained
from shared.messages.requests.written_item import WrittenItem, item_of
from shared.settings.turn.context import ContextSettings
from shared.storable_text import is_storable

MOST_AT_ONCE: Final = 20
_LONGEST_ID: Final = 128

NewItems = Annotated[list[WrittenItem], msgspec.Meta(max_length=MOST_AT_ONCE)]


class CreateConversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conversation, and what was said in it so far."""

    items: NewItems | None = None
    metadata: Metadata | None = None


class UpdateConversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to attach to it, in place of what was."""

    metadata: Metadata | None


class AddItems(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes next in it."""

    items: Annotated[list[WrittenItem], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)]


class ConversationObject(msgspec.Struct, frozen=True):
    """A conversation, without its items."""

    id: str
    created_at: int
    metadata: dict[str, str]
    object: Literal["conversation"] = "conversation"


class DeletedConversation(msgspec.Struct, frozen=True):
    """The answer to DELETE."""

    id: str
    object: Literal["conversation.deleted"] = "conversation.deleted"
    deleted: bool = True


_new: Final = msgspec.json.Decoder(CreateConversation)
_change: Final = msgspec.json.Decoder(UpdateConversation)
_more: Final = msgspec.json.Decoder(AddItems)


class ConversationEndpoints:
    """Conversations of the caller's tenant. Another tenant's do not exist.

    What is listed is what a model is told, but for what its budget has no room for.
    """

    def __init__(
        self,
        door: Door,
        conversations: Conversations,
        history: ConversationRepository,
        contents: MessageContents,
        context: ContextSettings,
    ) -> None:
        self._door = door
        self._conversations = conversations
        self._history = history
        self._contents = contents
        self._context = context
        self._patience = Patience(door.settings.ledger_timeout_seconds)

    async def create(self, exchange: Exchange) -> None:
        """Begin one."""
        caller = await self._door.caller(exchange)
        raw = await self._door.read_json(exchange)
        asked = decode_json(_new, raw)
        items = self._new_items(asked.items or [], raw)
        await self._check_files(items, caller, asked)
        creating = self._conversations.create(caller.tenant.id, asked.metadata or {}, items)
        await _answer(exchange, await self._patience.wait(creating))

    async def retrieve(self, exchange: Exchange) -> None:
        """One conversation."""
        _, found = await self._found(exchange)
        await _answer(exchange, found)

    async def update(self, exchange: Exchange) -> None:
        """Attach other metadata to it."""
        caller = await self._door.caller(exchange)
        asked = decode_json(_change, await self._door.read_json(exchange))
        describing = self._conversations.describe(
            caller.tenant.id, _conversation_id(exchange), asked.metadata or {}
        )
        await _answer(exchange, await self._patience.wait(describing))

    async def delete(self, exchange: Exchange) -> None:
        """Forget it. Its responses stay."""
        caller = await self._door.caller(exchange)
        conversation_id = _conversation_id(exchange)
        await self._patience.wait(self._conversations.delete(caller.tenant.id, conversation_id))
        await exchange.answer(200, msgspec.json.encode(DeletedConversation(conversation_id)))

    async def list_items(self, exchange: Exchange) -> None:
        """A page of what was said in it, by messages and by callers."""
        page = PageRequest.of(exchange)
        caller, found = await self._found(exchange)
        items = await self._whole(await self._items(caller, found.id), caller)
        listed = page.of_items([(each.id or "", each.item) for each in items])
        await exchange.answer(200, msgspec.json.encode(listed))

    async def add_items(self, exchange: Exchange) -> None:
        """Put items at its end."""
        checked_query(exchange)
        caller = await self._door.caller(exchange)
        raw = await self._door.read_json(exchange)
        asked = decode_json(_more, raw)
        items = self._new_items(asked.items, raw)
        await self._check_files(items, caller, asked)
        adding = self._conversations.add(caller.tenant.id, _conversation_id(exchange), items)
        await self._patience.wait(adding)
        told = [told_item(each.id or "", each.item) for each in items]
        await exchange.answer(200, msgspec.json.encode(item_list(told, has_more=False)))

    async def retrieve_item(self, exchange: Exchange) -> None:
        """One item."""
        checked_query(exchange)
        caller, found = await self._found(exchange)
        item_id = exchange.parameters["item_id"]
        [each] = await self._whole([await self._item(caller, found.id, item_id)], caller)
        await exchange.answer(200, msgspec.json.encode(told_item(item_id, each.item)))

    async def delete_item(self, exchange: Exchange) -> None:
        """Take an item out: no model is told it any more."""
        caller, found = await self._found(exchange)
        item_id = exchange.parameters["item_id"]
        await self._item(caller, found.id, item_id)
        removing = self._conversations.remove(caller.tenant.id, found.id, item_id)
        await self._patience.wait(removing)
        await _answer(exchange, found)

    def _new_items(self, written: list[WrittenItem], raw: Json) -> list[NamedItem]:
        items = _named(written, raw)
        body = Body(input=[each.item for each in items])
        limit_bytes = self._door.settings.text_limit_bytes
        check_text(body, len(whole_json(raw)), _place, limit_bytes=limit_bytes)
        return items

    async def _check_files(
        self, items: list[NamedItem], caller: Caller, asked: msgspec.Struct
    ) -> None:
        body = Body(input=[each.item for each in items])
        await self._door.references.named_bytes(body, tenant_id=caller.tenant.id, asked=asked)

    async def _found(self, exchange: Exchange) -> tuple[Caller, StoredConversation]:
        caller = await self._door.caller(exchange)
        finding = self._conversations.find(caller.tenant.id, _conversation_id(exchange))
        return caller, await self._patience.wait(finding)

    async def _items(self, caller: Caller, conversation_id: str) -> list[NamedItem]:
        return await self._patience.wait(
            self._history.within(
                caller.tenant.id,
                conversation_id,
                limit=self._context.message_limit,
                limit_bytes=self._context.history_bytes,
            )
        )

    async def _whole(self, named: list[NamedItem], caller: Caller) -> list[NamedItem]:
        """With the large content that they refer to, for who is shown it."""
        items = [each.item for each in named]
        whole = self._contents.whole(items, tenant_id=caller.tenant.id)
        told = zip(named, await self._patience.wait(whole), strict=True)
        return [NamedItem(each.id, item) for each, item in told]

    async def _item(self, caller: Caller, conversation_id: str, item_id: str) -> NamedItem:
        for each in await self._items(caller, conversation_id):
            if each.id == item_id:
                return each
        raise NotFound(
            f"Item with id '{item_id[:_LONGEST_ID]}' not found in conversation with id "
            f"'{conversation_id}'.",
            param="item_id",
        )


def _conversation_id(exchange: Exchange) -> str:
    conversation_id = exchange.parameters["conversation_id"]
    if not is_storable(conversation_id) or len(conversation_id) > _LONGEST_ID:
        raise unknown_conversation(conversation_id)
    return conversation_id


def _named(written: list[WrittenItem], raw: Json) -> list[NamedItem]:
    """The items under their callers' ids, or ours; raises InvalidRequest, one by its place."""
    try:
        items = [item_of(each, _place(nth)) for nth, each in enumerate(written)]
        check_each(items, _place)
    except InvalidRequest as error:
        raise explained(error, whole_json(raw)) from None
    for nth, item in enumerate(items):
        if isinstance(item, ItemReference):
            raise InvalidRequest(
                f"'{_place(nth)}' is a reference. Send the item itself.", param=_place(nth)
            )
        if item.id is not None and not (0 < len(item.id) <= _LONGEST_ID and is_storable(item.id)):
            raise InvalidRequest(
                f"'{_place(nth)}.id' must be 1 to {_LONGEST_ID} characters without NUL. Shorten "
                "it, or leave it out.",
                param=f"{_place(nth)}.id",
            )
    return [NamedItem(item.id or new_id(ITEM), item) for item in items]


def _place(nth: int) -> str:
    return f"items[{nth}]"


async def _answer(exchange: Exchange, found: StoredConversation) -> None:
    told = ConversationObject(found.id, int(found.created_at.timestamp()), found.notes)
    await exchange.answer(200, msgspec.json.encode(told))
