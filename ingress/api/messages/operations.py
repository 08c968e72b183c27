"""Messages' operations, in one table."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.messages.messages import MessagesEndpoint
from ingress.api.messages.stream_events import MessageEvent
from ingress.api.operations import ACCEPTING, POST_ERRORS
from ingress.api.reference.operation import BODY_ERRORS, Operation, Parameter, Tag
from shared.surfaces.messages.message import MessageObject, MessageTokensCount
from shared.surfaces.messages.request import CountTokensRequest, MessagesRequest

_HEADERS: Final = tuple(
    Parameter(name, "header", "string", "As Anthropic's clients send it; it changes nothing.")
    for name in ("anthropic-version", "anthropic-beta")
)


def message_operations(messages: MessagesEndpoint) -> list[Operation]:
    """Messages in Anthropic's shape."""
    row = partial(Operation, "POST", tag=Tag.MESSAGES)
    return [
        row(
            "/v1/messages",
            messages.create,
            "Send a message in Anthropic's shape",
            description="`stream` sends events. The header `x-forebay-response-id` names the "
            "response behind the message.",
            request=MessagesRequest,
            answer=MessageObject,
            streams=MessageEvent,  # type: ignore[arg-type] # a union is a type to msgspec
            parameters=(*ACCEPTING, *_HEADERS),
            errors=(*POST_ERRORS, 409, 502),
        ),
        row(
            "/v1/messages/count_tokens",
            messages.count_tokens,
            "Count the tokens of a message",
            description="An estimate: nobody knows yet which model will read it.",
            request=CountTokensRequest,
            answer=MessageTokensCount,
            parameters=_HEADERS,
            errors=BODY_ERRORS,
        ),
    ]
