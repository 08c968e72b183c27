"""The operations on items and conversations, in one table."""

from __future__ import annotations

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
from ingress.api.conversations.response_input import (
    CountInputTokens,
    InputTokens,
    ResponseInput,
)
from ingress.api.conversations.told_item import ItemList, ToldItem
from ingress.api.reference.operation import Operation, Tag

_ALL: Final = "/v1/conversations"
_ONE: Final = "/v1/conversations/{conversation_id}"
_ITEMS: Final = f"{_ONE}/items"
_WRITING: Final = (400, 401, 404, 413, 415, 503)
_STORED: Final = (400, 401, 404, 503)


def input_operations(given: ResponseInput) -> list[Operation]:
    """What a response is made from."""
    return [
        Operation(
            method="POST",
            path="/v1/responses/input_tokens",
            endpoint=given.tokens,
            tag=Tag.RESPONSES,
            summary="Count the tokens of a message's input",
            description="Takes the body of a message, and answers how much a model would have to "
            "read, by estimate, before the conversation is fitted into the token budget.",
            request=CountInputTokens,
            answer=InputTokens,
            errors=_WRITING,
        ),
        Operation(
            method="GET",
            path="/v1/responses/{response_id}/input_items",
            endpoint=given.items,
            tag=Tag.RESPONSES,
            summary="List the items that came with a response",
            answer=ItemList,
            parameters=(*PAGE, INCLUDE),
            errors=_STORED,
        ),
    ]


def conversation_operations(conversations: ConversationEndpoints) -> list[Operation]:
    """Conversations."""
    return [
        Operation(
            method="POST",
            path=_ALL,
            endpoint=conversations.create,
            tag=Tag.CONVERSATIONS,
            summary="Begin a conversation",
            description="A message goes on with it by its id as `conversation`. An id of your own "
            "needs no beginning: its first message begins it.",
            request=CreateConversation,
            answer=ConversationObject,
            errors=(400, 401, 413, 415, 503),
        ),
        *_one_conversation(conversations),
        *_items(conversations),
        *_one_item(conversations),
    ]


def _one_conversation(conversations: ConversationEndpoints) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path=_ONE,
            endpoint=conversations.retrieve,
            tag=Tag.CONVERSATIONS,
            summary="Read what is known of a conversation",
            answer=ConversationObject,
            errors=_STORED,
        ),
        Operation(
            method="POST",
            path=_ONE,
            endpoint=conversations.update,
            tag=Tag.CONVERSATIONS,
            summary="Attach metadata to a conversation",
            request=UpdateConversation,
            answer=ConversationObject,
            errors=_WRITING,
        ),
        Operation(
            method="DELETE",
            path=_ONE,
            endpoint=conversations.delete,
            tag=Tag.CONVERSATIONS,
            summary="Delete a conversation",
            description="No message may go on with it. Its responses stay.",
            answer=DeletedConversation,
            errors=_STORED,
        ),
    ]


def _items(conversations: ConversationEndpoints) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path=_ITEMS,
            endpoint=conversations.list_items,
            tag=Tag.CONVERSATIONS,
            summary="List what was said in a conversation",
            answer=ItemList,
            parameters=(*PAGE, INCLUDE),
            errors=_STORED,
        ),
        Operation(
            method="POST",
            path=_ITEMS,
            endpoint=conversations.add_items,
            tag=Tag.CONVERSATIONS,
            summary="Put items at the end of a conversation",
            request=AddItems,
            answer=ItemList,
            parameters=(INCLUDE,),
            errors=_WRITING,
        ),
    ]


def _one_item(conversations: ConversationEndpoints) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path=f"{_ITEMS}/{{item_id}}",
            endpoint=conversations.retrieve_item,
            tag=Tag.CONVERSATIONS,
            summary="Read an item of a conversation",
            answer=ToldItem,  # type: ignore[arg-type] # a union is a type to msgspec
            parameters=(INCLUDE,),
            errors=_STORED,
        ),
        Operation(
            method="DELETE",
            path=f"{_ITEMS}/{{item_id}}",
            endpoint=conversations.delete_item,
            tag=Tag.CONVERSATIONS,
            summary="Take an item out of a conversation",
            answer=ConversationObject,
            errors=_STORED,
        ),
    ]
