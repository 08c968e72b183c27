"""What a message names of the ledger: looked up before it is let in."""

from __future__ import annotations

from typing import Final

import msgspec

from ingress.patience import Patience
from shared.conversations.catalogue import Conversations
from shared.conversations.references import ReferencedItems
from shared.errors import InvalidRequest, NotFound, TooLarge
from shared.files.file_catalogue import FileCatalogue
from shared.files.message_contents import MessageContents
from shared.messages.body import Body, encode_body
from shared.messages.item import Item, ItemReference, are_only_text
from shared.messages.requests.calls import check_items, check_text
from shared.messages.requests.create_response import place_in_input
from shared.messages.stored_body import attachments_of, references_in
from shared.storable_text import is_storable

_MOST_AT_ONCE: Final = 1_000


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
        patience: Patience,
        *,
        limit_bytes: int,
        text_limit_bytes: int,
    ) -> None:
        self._items = items
        self._conversations = conversations
        self._files = files
        self._contents = contents
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

    async def check_files(self, body: Body, *, tenant_id: str) -> None:
        """Raises NotFound for a file that this tenant has not, by its id; LedgerUnavailable.

        It may be deleted before the message has its turn, which then fails.
        """
        if are_only_text(body.input):
            return
        for file_id in _files(body.input):
            if not is_storable(file_id) or not await self._has_file(file_id, tenant_id):
                raise NotFound(
                    f"There is no file '{file_id[:64]}', or not any more. Upload it, or remove it.",
                    param="file_id",
                )

    async def _has_file(self, file_id: str, tenant_id: str) -> bool:
        finding = self._files.find(file_id, tenant_id=tenant_id)
        return await self._patience.wait(finding) is not None

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


def _files(items: list[Item]) -> dict[str, None]:
    """The ids of files that are named, each once."""
    named = [part.file_id for item in items for part in attachments_of(item)]
    files = dict.fromkeys(file_id for file_id in named if file_id is not None)
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
