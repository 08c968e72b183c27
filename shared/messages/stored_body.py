"""The body as it is read back from the ledger, whichever version of Forebay wrote it."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.messages.body import Body, ResponseFields
from shared.messages.item import MessageItem, Role
from shared.messages.part import Content, spelled, text_part

_MARK: Final = b'{"shape":'
"""How the bodies begin that are written as they are read."""


class _Manner(msgspec.Struct):
    stream: bool | None = None


class _EarlierPart(msgspec.Struct):
    text: str
    annotations: list[object] | None = None
    logprobs: list[object] | None = None


class _EarlierItem(msgspec.Struct):
    role: Role
    content: str | list[_EarlierPart] | None
    id: str | None = None
    name: str | None = None
    status: str | None = None
    phase: str | None = None


class _EarlierBody(ResponseFields, frozen=True, kw_only=True):
    """The request of POST /v1/responses as it came, or what was made of it for other surfaces."""

    input: str | list[_EarlierItem]
    conversation: str | dict[str, str] | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None


_decoder: Final = msgspec.json.Decoder(Body)
_earlier: Final = msgspec.json.Decoder(_EarlierBody)
_manner: Final = msgspec.json.Decoder(_Manner)


def decode_body(raw: bytes) -> Body:
    """The body as it was committed; raises msgspec.DecodeError where the ledger holds another."""
    if raw.startswith(_MARK):
        return _decoder.decode(raw)
    earlier = _earlier.decode(raw)
    said = earlier.input
    return Body.of(
        earlier,
        said if isinstance(said, str) else list(map(_item, said)),
        conversation=earlier.conversation,
        frequency_penalty=earlier.frequency_penalty,
        presence_penalty=earlier.presence_penalty,
        seed=earlier.seed,
        stop=earlier.stop,
    )


def is_streamed(raw: bytes) -> bool:
    """Whether its answer is streamed, for who needs to know no more of it; raises as above."""
    return bool(_manner.decode(raw).stream)


def _item(earlier: _EarlierItem) -> MessageItem:
    marks = (earlier.id, earlier.name, earlier.status, earlier.phase)
    return MessageItem(earlier.role, _content(earlier), *marks)


def _content(earlier: _EarlierItem) -> Content:
    said, is_models = earlier.content or "", earlier.role is Role.ASSISTANT
    if isinstance(said, str):
        return said
    return spelled(
        [text_part(part.text, is_models, part.annotations, part.logprobs) for part in said]
    )
