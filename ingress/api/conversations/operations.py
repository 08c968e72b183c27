"""The operations on items and conversations, in one table."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.conversations.conversations import (
    AddItems,
    ConversationEndpoints,
    ConversationObject,
    CreateConversation,
    DeletedConversation,
    UpdateConversation,
)
from ingress.api.conversations.paging import INCLUDE, PAGE
from ingress.api.conversations.response_input import CountInputTokens, InputTokens, ResponseInput
from ingress.api.conversations.told_item import ItemList, ToldItem
from ingress.api.reference.operation import BODY_ERRORS, FIND_ERRORS, Operation, Tag

_ALL: Final = "/v1/conversations"
_ONE: Final = f"{_ALL}/{{conversation_id}}"
_ITEMS: Final = f"{_ONE}/items"
_ITEM: Final = f"{_ITEMS}/{{item_id}}"
_WRITING: Final = (400, 401, 404, 413, 415, 503)
_PAGE: Final = (*PAGE, INCLUDE)


def input_operations(given: ResponseInput) -> list[Operation]:
    """What a response is made from."""
    row = partial(Operation, tag=Tag.RESPONSES)
    return [
        row(
            "POST",
            "/v1/responses/input_tokens",
            given.tokens,
            "Count the tokens of a message's input",
            description="Takes the body of a message, and answers how much a model would have to "
            "read, by estimate, before the conversation is fitted into the token budget.",
            request=CountInputTokens,
            answer=InputTokens,
            errors=_WRITING,
        ),
        row(
            "GET",
            "/v1/responses/{response_id}/input_items",
            given.items,
            "List the items that came with a response",
            answer=ItemList,
            parameters=_PAGE,
            errors=FIND_ERRORS,
        ),
    ]


def conversation_operations(conversations: ConversationEndpoints) -> list[Operation]:
    """Conversations."""
    row = partial(Operation, tag=Tag.CONVERSATIONS, answer=ConversationObject, errors=FIND_ERRORS)
    write = partial(row, "POST", errors=_WRITING)
    return [
        write(
            _ALL,
            conversations.create,
            "Begin a conversation",
            description="A message goes on with it by its id as `conversation`. An id of your own "
            "needs no beginning: its first message begins it.",
            request=CreateConversation,
            errors=BODY_ERRORS,
        ),
        row("GET", _ONE, conversations.retrieve, "Read what is known of a conversation"),
        write(
            _ONE,
            conversations.update,
            "Attach metadata to a conversation",
            request=UpdateConversation,
        ),
        row(
            "DELETE",
            _ONE,
            conversations.delete,
            "Delete a conversation",
            description="No message may go on with it. Its responses stay.",
            answer=DeletedConversation,
        ),
        *_item_operations(conversations),
    ]


def _item_operations(conversations: ConversationEndpoints) -> list[Operation]:
    row = partial(Operation, tag=Tag.CONVERSATIONS, errors=FIND_ERRORS)
    items = partial(row, answer=ItemList, parameters=_PAGE)
    return [
        items("GET", _ITEMS, conversations.list_items, "List what was said in a conversation"),
        items(
            "POST",
            _ITEMS,
            conversations.add_items,
            "Put items at the end of a conversation",
            request=AddItems,
            parameters=(INCLUDE,),
            errors=_WRITING,
        ),
        row(
            "GET",
            _ITEM,
            conversations.retrieve_item,
            "Read an item of a conversation",
            answer=ToldItem,  # type: ignore[arg-type] # a union is a type to msgspec
            parameters=(INCLUDE,),
        ),
        row(
            "DELETE",
            _ITEM,
            conversations.delete_item,
            "Take an item out of a conversation",
            answer=ConversationObject,
        ),
    ]
