"""The body as the ledger keeps it, its large content beside it by digest, and as it is read back,
whichever version of Forebay wrote it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from secrets import token_hex
from typing import Final

import msgspec

from shared.large_content import APART_CHARACTERS, ContentReference, Pieces, pieces_of, reference_to
from shared.messages.body import Body, ResponseFields, encode_body, encode_in_order
from shared.messages.item import FunctionCallOutput, Item, MessageItem, Role
from shared.messages.part import Attachment, Content, FilePart, ImagePart, Part, spelled, text_part

_MARK: Final = b'{"shape":'
"""How the bodies begin that are written as they are read."""


class _Manner(msgspec.Struct):
    stream: bool | None = None
    model: str | None = None


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


def readable_body(raw: bytes) -> Body | None:
    """The same; None where the ledger holds another, which must cost nothing else."""
    try:
        return decode_body(raw)
    except msgspec.DecodeError:
        return None


def is_streamed(raw: bytes) -> bool:
    """Whether its answer is streamed, for who needs to know no more of it; raises as above."""
    return bool(_manner.decode(raw).stream)


def asked_model(raw: bytes) -> str | None:
    """Which model it names, for who needs to know no more of it; raises as above."""
    return _manner.decode(raw).model


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


Contents = Mapping[str, Pieces]
"""Large content by its digest. Without pieces it is content that the tenant has."""

NO_CONTENTS: Final[Contents] = {}
_REFERS: Final = '"content":{"digest":"'


class KeptBody(msgspec.Struct, frozen=True):
    """`raw` is its JSON, in which references stand for `contents`; `size` what it would be whole.

    `digest` is that of the whole body; None where it is made in no time.
    """

    raw: bytes
    size: int
    digest: str | None = None
    contents: Contents = NO_CONTENTS


def size_of(contents: Contents) -> int:
    """Their bytes, of all together."""
    return sum(len(piece) for pieces in contents.values() for piece in pieces)


def has_references(raw: str) -> bool:
    """Whether there may be references in this JSON of a body: most need not be decoded for that."""
    return _REFERS in raw


def references_in(items: Iterable[Item]) -> Iterator[ContentReference]:
    """What they refer to."""
    for item in items:
        for part in attachments_of(item):
            if part.content is not None:
                yield part.content


def attachments_of(item: Item) -> Iterator[Attachment]:
    """Its images and files."""
    return (part for part in parts_of(item) if isinstance(part, ImagePart | FilePart))


def parts_of(item: Item) -> list[Part]:
    """What it is made of, where that is more than a text."""
    content = item.content if isinstance(item, MessageItem) else ""
    if isinstance(item, FunctionCallOutput):
        content = item.output
    return [] if isinstance(content, str) else content


def shown_text(item: Item) -> str:
    """What people are shown of it: its text, with what is no text named; of thoughts nothing."""
    if not any(attachments_of(item)):
        return item.text()
    return f"{item.text()}\n(with an image or a file)".strip()


def with_attachments(item: Item, change: Callable[[Attachment], Attachment]) -> Item:
    """The item with each of its images and files changed."""
    if not any(attachments_of(item)):
        return item
    parts = [
        change(part) if isinstance(part, ImagePart | FilePart) else part for part in parts_of(item)
    ]
    field = "content" if isinstance(item, MessageItem) else "output"
    return msgspec.structs.replace(item, **{field: parts})


def with_contents(item: Item, contents: Mapping[str, str]) -> Item:
    """The item with content in the place of its references; of what is not there they stay."""

    def filled(part: Attachment) -> Attachment:
        held = None if part.content is None else contents.get(part.content.digest)
        return part if held is None else part.holding(held)

    return with_attachments(item, filled)


def apart(body: Body) -> KeptBody:
    """The body with its large content beside it; takes some milliseconds for each MiB."""
    # Nobody can have written a name that is made now.
    name, texts = f"data:{token_hex(16)}", list[str]()

    def named(part: Attachment) -> Attachment:
        held = part.held() or ""
        if len(held) < APART_CHARACTERS:
            return part
        texts.append(held)
        return part.holding(name)

    short = _with_input(body, named)
    first, *others = encode_in_order(short).split(name.encode())
    digest, size = sha256(first), len(first)
    contents, references = dict[str, Pieces](), list[ContentReference]()
    for text, after in zip(texts, others, strict=True):
        pieces = tuple(pieces_of(text))
        for piece in (*pieces, after):
            digest.update(piece)
            size += len(piece)
        references.append(reference_to(text, pieces))
        contents[references[-1].digest] = pieces
    told = iter(references)

    def referring(part: Attachment) -> Attachment:
        return part.holding(None, next(told)) if part.held() == name else part

    raw = encode_body(_with_input(short, referring))
    return KeptBody(raw, size, digest.hexdigest(), contents)


def _with_input(body: Body, change: Callable[[Attachment], Attachment]) -> Body:
    items = [with_attachments(item, change) for item in body.input]
    return msgspec.structs.replace(body, input=items)
