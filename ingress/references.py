"""What a message names of the ledger: looked up before it is let in."""

from __future__ import annotations

from math import ceil
from typing import Final

import msgspec

from ingress.named_stores import NamedStores
from ingress.patience import Patience
from shared.conversations.catalogue import Conversations
from shared.conversations.references import ReferencedItems
from shared.errors import InvalidRequest, NotFound, TooLarge
from shared.files.file_catalogue import FileCatalogue
from shared.files.message_contents import MessageContents
from shared.files.stored_file import StoredFile
from shared.messages.body import Body, encode_body
from shared.messages.item import Item, ItemReference, are_only_text
from shared.messages.part import FilePart
from shared.messages.requests.calls import check_items, check_text
from shared.messages.requests.create_response import place_in_input
from shared.messages.stored_body import attachments_of, references_in
from shared.storable_text import is_storable
from shared.token_count import tokens_of_size

_MOST_AT_ONCE: Final = 1_000
_FILE_ID: Final = "file_id"
_HOLDS_PARTS: Final = ("input", "items", "messages", "content", "output", "file", "source")
"""The fields of requests, on any surface, in which files are named."""


class References:
    """Puts the items that a body refers to into it, and asks after its conversation.

    What is committed, digested and counted is the body with the items in it: a reference and the
    item that it stands for are the same message, under one idempotency key and to every reader,
    and an answer that is deleted later is not missed. So whoever repeats a message whose
    references were deleted since is told that they are gone, even under its key.
    """

    def __init__(
        self,
        items: ReferencedItems,
        conversations: Conversations,
        files: FileCatalogue,
        contents: MessageContents,
        stores: NamedStores,
        patience: Patience,
        *,
        limit_bytes: int,
        text_limit_bytes: int,
    ) -> None:
        self._items = items
        self._conversations = conversations
        self._files = files
        self._contents = contents
        self._stores = stores
        self._patience = patience
        self._limit_bytes = limit_bytes
        self._text_limit_bytes = text_limit_bytes

    async def resolved(self, body: Body, *, tenant_id: str) -> Body:
        """The body without references, checked as one that never had any.

        Raises NotFound for what is not in this tenant's ledger, by its place, and for a
        conversation that was deleted; InvalidRequest for what the items are not to each other,
        TooLarge and LedgerUnavailable.
        """
        if body.conversation is not None and is_storable(body.conversation):
            await self._patience.wait(self._conversations.check(tenant_id, body.conversation))
        if not body.refers:
            return body
        places = _places(body.input)
        found = await self._patience.wait(
            self._items.find(places, tenant_id=tenant_id, limit_bytes=self._limit_bytes)
        )
        items = [
            _item(found.get(item.id), item.id, index) if isinstance(item, ItemReference) else item
            for index, item in enumerate(body.input)
        ]
        items = await self._whole(items, tenant_id)
        check_items(items, place_in_input, continues=body.continues)
        whole = msgspec.structs.replace(body, input=items)
        self._check_size(whole)
        return whole

    async def _whole(self, items: list[Item], tenant_id: str) -> list[Item]:
        if sum(each.size for each in references_in(items)) > self._limit_bytes:
            raise self._too_large()
        return await self._patience.wait(self._contents.whole(items, tenant_id=tenant_id))

    async def named_bytes(
        self, body: Body, *, tenant_id: str, asked: msgspec.Struct | None = None
    ) -> int:
        """How much would be told of the files that it names by their ids, in base64 as those are
        that it brings; images cost what they cost at any size. And of the stores that it searches.

        Raises NotFound for one that this tenant has not, by its place in what was `asked`, which
        is the body where it came as one; LedgerUnavailable. A file may be deleted before the
        message has its turn, which then fails.
        """
        total = 0
        if body.file_search is not None:
            total = await self._stores.told_bytes(body, tenant_id=tenant_id)
        if are_only_text(body.input):
            return total
        for file_id, told in _files(body.input).items():
            found = await self._find(file_id, tenant_id) if is_storable(file_id) else None
            if found is None:
                place = place_of_file(asked or body, file_id)
                raise NotFound(
                    f"'{place}' names the file '{file_id[:64]}', which is not here, or not any "
                    "more. Upload it, or remove it.",
                    param=place,
                )
            total += told * 4 * ceil(found.bytes / 3)
        return total

    async def named_tokens(self, body: Body, tenant_id: str) -> int:
        """The same in tokens, of a body that is only counted; raises as it does."""
        return tokens_of_size(await self.named_bytes(body, tenant_id=tenant_id))

    async def _find(self, file_id: str, tenant_id: str) -> StoredFile | None:
        return await self._patience.wait(self._files.find(file_id, tenant_id=tenant_id))

    def _check_size(self, body: Body) -> None:
        """Nobody refers to more than could be sent."""
        size = len(encode_body(body))
        if size > self._limit_bytes:
            raise self._too_large()
        check_text(body, size, place_in_input, limit_bytes=self._text_limit_bytes)

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"With what 'input' refers to the body is larger than {self._limit_bytes} bytes. "
            "Refer to fewer items.",
            param="input",
        )


def _places(items: list[Item]) -> dict[str, int]:
    """What is referred to, each once, and from where."""
    places = dict[str, int]()
    for index, item in enumerate(items):
        if not isinstance(item, ItemReference):
            continue
        if item.id in places:
            raise InvalidRequest(
                f"'{place_in_input(index)}' refers to '{item.id[:64]}', as "
                f"'{place_in_input(places[item.id])}' does. Remove one of them.",
                param=f"{place_in_input(index)}.id",
            )
        places[item.id] = index
    if len(places) > _MOST_AT_ONCE:
        raise InvalidRequest(
            f"'input' refers to {len(places)} items. Refer to {_MOST_AT_ONCE} at the most, or "
            "continue a response by 'previous_response_id'.",
            param="input",
        )
    return places


def place_of_file(asked: msgspec.Struct, file_id: str) -> str:
    """Where a request names a file first, in its own words; `file_id` where it does not itself."""
    waiting = [("", msgspec.to_builtins(asked))]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, list):
            inner = [(f"{place}[{nth}]", one) for nth, one in enumerate(value)]
        elif isinstance(value, dict):
            if value.get(_FILE_ID) == file_id:
                return f"{place}.{_FILE_ID}"
            inner = [(f"{place}.{name}".lstrip("."), value.get(name)) for name in _HOLDS_PARTS]
        else:
            continue
        waiting += reversed(inner)
    return _FILE_ID


def _files(items: list[Item]) -> dict[str, int]:
    """The ids of files that are named, each once, and how often as files."""
    files = dict[str, int]()
    for part in (part for item in items for part in attachments_of(item)):
        if part.file_id is not None:
            files[part.file_id] = files.get(part.file_id, 0) + isinstance(part, FilePart)
    if len(files) > _MOST_AT_ONCE:
        raise InvalidRequest(
            f"'input' names {len(files)} files. Name {_MOST_AT_ONCE} at the most.", param="input"
        )
    return files


def _item(found: Item | None, item_id: str, index: int) -> Item:
    """With the id that it is known by, as if the caller had sent it."""
    if found is None or isinstance(found, ItemReference):
        place = place_in_input(index)
        raise NotFound(
            f"'{place}' refers to '{item_id[:64]}', which is not here: it was never kept, or was "
            "deleted. Send the item itself, or remove it.",
            param=f"{place}.id",
            kind="item_not_found",
        )
    return msgspec.structs.replace(found, id=item_id)
