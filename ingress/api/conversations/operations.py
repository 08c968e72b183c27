"""The operations on items and conversations, in one table."""

from __future__ import annotations

from typing import Final

from ingress.api.conversations.paging import INCLUDE, PAGE
from ingress.api.conversations.response_input import (
    CountInputTokens,
    InputTokens,
    ResponseInput,
)
from ingress.api.conversations.told_item import ItemList
from ingress.api.reference.operation import Operation, Tag

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
            errors=(400, 401, 404, 413, 415, 503),
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
