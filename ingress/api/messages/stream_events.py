"""The events of a message's stream, in Anthropic's words."""

from __future__ import annotations

import msgspec

from ingress.api.http.error_answer import AnthropicErrorBody
from shared.messages.response import ResponseCost
from shared.messages.turn_report import TurnReport
from shared.surfaces.messages.blocks import AnswerBlock
from shared.surfaces.messages.message import MessageObject, MessageUsage, StopReason


class _Named(msgspec.Struct, frozen=True, tag_field="type"):
    """JSON names it in `type`."""


class TextDelta(_Named, frozen=True, tag="text_delta"):
    """The next piece of text."""

    text: str


class InputJsonDelta(_Named, frozen=True, tag="input_json_delta"):
    """The next piece of a call's input, in JSON."""

    partial_json: str


class ThinkingDelta(_Named, frozen=True, tag="thinking_delta"):
    """The next piece of a thought."""

    thinking: str


class SignatureDelta(_Named, frozen=True, tag="signature_delta"):
    """By what its provider knows a thought again."""

    signature: str


BlockDelta = TextDelta | InputJsonDelta | ThinkingDelta | SignatureDelta


class MessageStart(_Named, frozen=True, tag="message_start"):
    """A message begins; its usage is an estimate until the end."""

    message: MessageObject


class ContentBlockStart(_Named, frozen=True, tag="content_block_start"):
    """A block begins, empty."""

    index: int
    content_block: AnswerBlock


class ContentBlockDelta(_Named, frozen=True, tag="content_block_delta"):
    """A block grows."""

    index: int
    delta: BlockDelta


class ContentBlockStop(_Named, frozen=True, tag="content_block_stop"):
    """A block is whole."""

    index: int


class MessageStop(_Named, frozen=True, tag="message_stop"):
    """The message is whole."""


class Ping(_Named, frozen=True, tag="ping"):
    """Nothing happened for a while."""


class StoppedFor(msgspec.Struct, frozen=True):
    """Why the message ends where it does."""

    stop_reason: StopReason
    stop_sequence: None = None


class MessageDelta(_Named, frozen=True, tag="message_delta"):
    """What is known at the end: why it ended and what it took."""

    delta: StoppedFor
    usage: MessageUsage
    cost: ResponseCost | None = None
    turn: TurnReport | None = None


MessageEvent = (
    MessageStart
    | ContentBlockStart
    | ContentBlockDelta
    | ContentBlockStop
    | MessageDelta
    | MessageStop
    | Ping
)


def event_line(event: MessageEvent) -> bytes:
    """The event as it goes out."""
    name = str(event.__struct_config__.tag).encode()
    return b"event: %b\ndata: %b\n\n" % (name, msgspec.json.encode(event))


def error_line(error: AnthropicErrorBody) -> bytes:
    """An error in the middle of a stream."""
    return b"event: error\ndata: %b\n\n" % msgspec.json.encode(error)
