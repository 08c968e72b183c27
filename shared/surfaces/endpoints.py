"""The endpoints that a line of a batch can name: how each is read, and how its answer is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from shared.decoding import Json
from shared.errors import InvalidRequest, use_one_of
from shared.messages.body import Body
from shared.messages.record import MessageRecord, Surface
from shared.messages.requests.calls import TEXT_LIMIT_BYTES
from shared.messages.requests.create_response import decode_create_response
from shared.messages.requests.unsupported import UNSUPPORTED
from shared.messages.response import ResponseObject, response_object
from shared.messages.stored_body import decode_body
from shared.surfaces.chat.completion import ChatCompletion, chat_completion
from shared.surfaces.chat.request import decode_chat_request
from shared.surfaces.failed_turn import failed_turn
from shared.surfaces.messages.message import MessageObject, message_object
from shared.surfaces.messages.request import decode_messages_request

AnswerObject = ResponseObject | ChatCompletion | MessageObject
_ALONE: Final = ("stream", "previous_response_id", "conversation")
"""What a request has that somebody waits for, or that stands in a row with others."""


class _Shape(msgspec.Struct, frozen=True):
    """How a surface writes."""

    surface: Surface
    decode: Callable[[Json, int], Body]
    told: Callable[[ResponseObject, Body], AnswerObject]


def surface_of(endpoint: str) -> Surface:
    """The surface at that path; raises InvalidRequest where no message is taken."""
    return _shape(endpoint).surface


def decode_request(endpoint: str, raw: Json, *, text_limit_bytes: int = TEXT_LIMIT_BYTES) -> Body:
    """What one request to that path means, where nobody waits for its answer.

    Raises InvalidRequest naming the field, and TooLarge for more text than the limit. A stream is
    refused, and so is what continues something else: requests that come together have no order.
    """
    body = _shape(endpoint).decode(raw, text_limit_bytes)
    for name in _ALONE:
        if getattr(body, name):
            raise InvalidRequest(
                f"'{name}' is for a request by itself: those of a batch are answered whole, and in "
                "no order. Remove it.",
                param=name,
                kind=UNSUPPORTED,
            )
    if body.refers:
        raise InvalidRequest(
            "An item of a batch refers to no other: send the item itself, or remove it.",
            param="input",
            kind=UNSUPPORTED,
        )
    return body


def answer_object(endpoint: str, record: MessageRecord) -> AnswerObject:
    """The answer of a message that has ended, as that path tells it; raises TurnFailed for one
    that failed or was cancelled, on every path."""
    body = decode_body(record.body.encode())
    response = response_object(record, body)
    if failed := failed_turn(response):
        raise failed
    return _shape(endpoint).told(response, body)


def _chat(raw: Json, text_limit_bytes: int) -> Body:
    return decode_chat_request(raw, text_limit_bytes=text_limit_bytes)[1]


def _messages(raw: Json, text_limit_bytes: int) -> Body:
    return decode_messages_request(raw, text_limit_bytes=text_limit_bytes)[1]


def _responses(raw: Json, text_limit_bytes: int) -> Body:
    return decode_create_response(raw, text_limit_bytes=text_limit_bytes)


def _message(response: ResponseObject, body: Body) -> MessageObject:
    """A body keeps of `thinking` what the model is asked: whether a summary is to be told."""
    thinks = body.reasoning is not None and body.reasoning.summary is not None
    return message_object(response, shows_thoughts=thinks)


_SHAPES: Final[Mapping[str, _Shape]] = MappingProxyType(
    {
        "/v1/responses": _Shape(Surface.RESPONSES, _responses, lambda response, _: response),
        "/v1/chat/completions": _Shape(
            Surface.CHAT, _chat, lambda response, _: chat_completion(response)
        ),
        "/v1/messages": _Shape(Surface.MESSAGES, _messages, _message),
    }
)
ENDPOINTS: Final = tuple(_SHAPES)


def _shape(endpoint: str) -> _Shape:
    shape = _SHAPES.get(endpoint)
    if shape is None:
        raise InvalidRequest(
            f"Nothing is run for '{endpoint[:128]}'. {use_one_of(ENDPOINTS)}.", param="endpoint"
        )
    return shape
