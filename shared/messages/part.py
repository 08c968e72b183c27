"""What the content of an item is made of. JSON names the kind of a part in `type`."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

import msgspec
from msgspec.structs import replace

from shared.large_content import APART_CHARACTERS, ContentReference, pieces_of, reference_to
from shared.storable_text import text_size
from shared.token_count import BYTES_PER_TOKEN, estimated_tokens, tokens_of_size

IMAGE_TOKENS: Final = {"low": 85}
LARGEST_IMAGE_TOKENS: Final = 1_445
"""What OpenAI's formula comes to at the most: 85, and 170 for each of eight tiles."""
_BETWEEN_PARTS: Final = "\n\n"


class Tagged(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """A part or an item; its tag is its `type`."""

    is_text: ClassVar[bool] = False

    @property
    def kind(self) -> str:
        """The `type` that names it."""
        return str(self.__struct_config__.tag)

    def attached(self) -> int:
        """Bytes of it that are an image or a file in base64."""
        return 0


class CacheBreakpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Up to here a provider may keep what it has read: for five minutes, or an hour."""

    type: Literal["ephemeral"]
    ttl: Literal["5m", "1h"] | None = None

    def spelled(self) -> CacheBreakpoint:
        """The same without the time that is meant anyway."""
        return KEEPS if self.ttl == "5m" else self


KEEPS: Final = CacheBreakpoint("ephemeral")


class InputTextPart(Tagged, frozen=True, tag="input_text"):
    """Text that a model is given."""

    text: str
    cache_control: CacheBreakpoint | None = None
    is_text: ClassVar[bool] = True

    def words(self) -> str:
        return self.text

    def tokens(self) -> int:
        return estimated_tokens(self.text)

    def size(self) -> int:
        return text_size(self.text)


class OutputTextPart(Tagged, frozen=True, tag="output_text"):
    """Text that a model wrote, with what it referred to."""

    text: str
    annotations: list[object] = []
    logprobs: list[object] = []
    cache_control: CacheBreakpoint | None = None
    is_text: ClassVar[bool] = True

    @property
    def has_objects(self) -> bool:
        """Whether something stands beside its text whose keys may be in any order."""
        return bool(self.annotations or self.logprobs)

    def words(self) -> str:
        return self.text

    def tokens(self) -> int:
        return estimated_tokens(self.text)

    def size(self) -> int:
        return text_size(self.text)


class RefusalPart(Tagged, frozen=True, tag="refusal"):
    """The model's words for why it would not answer."""

    refusal: str
    is_text: ClassVar[bool] = True

    def words(self) -> str:
        return self.refusal

    def tokens(self) -> int:
        return estimated_tokens(self.refusal)

    def size(self) -> int:
        return text_size(self.refusal)


class ImagePart(Tagged, frozen=True, tag="input_image"):
    """An image by its address, as a data URL, or by a file's id; in the ledger by reference too."""

    image_url: str | None = None
    file_id: str | None = None
    detail: Literal["low", "high", "auto", "original"] | None = None
    cache_control: CacheBreakpoint | None = None
    content: ContentReference | None = None

    def words(self) -> str:
        return ""

    def held(self) -> str | None:
        """The content that is in it."""
        url = self.image_url
        return url if url is not None and url[:5].lower() == "data:" else None

    def holding(self, held: str | None, content: ContentReference | None = None) -> ImagePart:
        """The same with this content in it, or with its reference."""
        return replace(self, image_url=held, content=content)

    def attached(self) -> int:
        return _attached(self.held(), self.content)

    def tokens(self) -> int:
        return IMAGE_TOKENS.get(self.detail or "", LARGEST_IMAGE_TOKENS)

    def size(self) -> int:
        return LARGEST_IMAGE_TOKENS * BYTES_PER_TOKEN


class FilePart(Tagged, frozen=True, tag="input_file"):
    """A file by its id, its address, or with its content; in the ledger by reference too."""

    file_id: str | None = None
    file_url: str | None = None
    file_data: str | None = None
    filename: str | None = None
    cache_control: CacheBreakpoint | None = None
    content: ContentReference | None = None

    def words(self) -> str:
        return ""

    def held(self) -> str | None:
        """The content that is in it."""
        return self.file_data

    def holding(self, held: str | None, content: ContentReference | None = None) -> FilePart:
        """The same with this content in it, or with its reference."""
        return replace(self, file_data=held, content=content)

    def attached(self) -> int:
        return _attached(self.file_data, self.content)

    def tokens(self) -> int:
        return tokens_of_size(self.attached())

    def size(self) -> int:
        return self.attached()


def _attached(held: str | None, content: ContentReference | None) -> int:
    return content.size if content is not None else len(held or "")


Attachment = ImagePart | FilePart
Part = InputTextPart | OutputTextPart | RefusalPart | ImagePart | FilePart
Content = str | list[Part]


def referring(part: Part) -> Part:
    """What of it a model is told, with references for large content, as the ledger keeps it."""
    if isinstance(part, OutputTextPart) and part.has_objects:
        return replace(part, annotations=[], logprobs=[])
    held = part.held() if isinstance(part, ImagePart | FilePart) else None
    if held is None or len(held) < APART_CHARACTERS:
        return part
    return part.holding(None, reference_to(held, pieces_of(held)))  # type: ignore[union-attr]


def text_part(
    text: str, is_models: bool, annotations: list[Any] | None = None, logprobs: Any = None
) -> InputTextPart | OutputTextPart:
    """Text under the name that its speaker gives it: what a model wrote is its output."""
    if is_models or annotations or logprobs:
        return OutputTextPart(text, annotations or [], logprobs or [])
    return InputTextPart(text)


def spelled(content: Content) -> Content:
    """The content in its one spelling: a lone text with nothing beside it is a string."""
    if isinstance(content, str) or len(content) != 1:
        return content
    (part,) = content
    if not isinstance(part, InputTextPart | OutputTextPart) or part.cache_control is not None:
        return content
    has_more = isinstance(part, OutputTextPart) and part.has_objects
    return content if has_more else part.text


def breakpoint_of(part: Part) -> CacheBreakpoint | None:
    """Whether a provider may keep all up to this part."""
    return None if isinstance(part, RefusalPart) else part.cache_control


def with_breakpoint(part: Part, kept: CacheBreakpoint | None) -> Part:
    """The same part, up to which all may be kept or not. A refusal has no place to say it."""
    if isinstance(part, RefusalPart) or part.cache_control == kept:
        return part
    return msgspec.structs.replace(part, cache_control=kept.spelled() if kept else None)


def unmarked(content: Content) -> Content:
    """What it says to a model: the same wherever a provider keeps it up to."""
    if isinstance(content, str) or not any(map(breakpoint_of, content)):
        return content
    return spelled([with_breakpoint(part, None) for part in content])


def words_of(content: Content) -> str:
    """All of its text as one string: parts are paragraphs, and stand apart as such."""
    if isinstance(content, str):
        return content
    return _BETWEEN_PARTS.join([part.words() for part in content if part.is_text])


def attached_to(content: Content) -> int:
    """Bytes of it that are images and files in base64."""
    return 0 if isinstance(content, str) else sum(part.attached() for part in content)


def tokens_of(content: Content) -> int:
    """What a model has to read, estimated."""
    if isinstance(content, str):
        return estimated_tokens(content)
    return sum(part.tokens() for part in content)


def size_of_content(content: Content) -> int:
    """Bytes that a model has to read; an image counts as the text that costs as much."""
    if isinstance(content, str):
        return text_size(content)
    return sum(part.size() for part in content)
