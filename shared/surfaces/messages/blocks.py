"""What a message's content is made of, in Anthropic's words: read in requests, told in answers."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from shared.messages.part import CacheBreakpoint

Nothing = Annotated[list[object], msgspec.Meta(max_length=0)]


class _Kind(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type"
):
    """JSON names it in `type`."""

    @property
    def kind(self) -> str:
        return str(self.__struct_config__.tag)


class Base64Image(_Kind, frozen=True, tag="base64"):
    """An image's content."""

    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
    data: str


class Base64Document(_Kind, frozen=True, tag="base64"):
    """A document's content."""

    media_type: Literal["application/pdf"]
    data: str


class PlainTextSource(_Kind, frozen=True, tag="text"):
    """A document that is text."""

    media_type: Literal["text/plain"]
    data: str


class UrlSource(_Kind, frozen=True, tag="url"):
    """An address in the web."""

    url: str


class FileSource(_Kind, frozen=True, tag="file"):
    """A file that was uploaded."""

    file_id: str


class TextBlock(_Kind, frozen=True, tag="text"):
    """Text."""

    text: str
    cache_control: CacheBreakpoint | None = None
    citations: Nothing | None = None


class ImageBlock(_Kind, frozen=True, tag="image"):
    """An image."""

    source: Base64Image | UrlSource | FileSource
    cache_control: CacheBreakpoint | None = None
    transformations: None = None


class CitationOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the answer names where it has things from."""

    enabled: bool | None = None


class DocumentBlock(_Kind, frozen=True, tag="document"):
    """A document, with what is said about it."""

    source: Base64Document | PlainTextSource | UrlSource | FileSource
    title: str | None = None
    context: str | None = None
    citations: CitationOptions | None = None
    cache_control: CacheBreakpoint | None = None


class DirectCaller(_Kind, frozen=True, tag="direct"):
    """The model itself has called."""


class ToolUseBlock(_Kind, frozen=True, tag="tool_use"):
    """A model asks for a tool."""

    id: str
    name: str
    input: dict[str, object]
    cache_control: CacheBreakpoint | None = None
    caller: DirectCaller | None = None
    toolset_name: None = None


SaidBlock = TextBlock | ImageBlock | DocumentBlock


class ToolResultBlock(_Kind, frozen=True, tag="tool_result"):
    """What the tool gave back."""

    tool_use_id: str
    content: str | list[SaidBlock] | None = None
    is_error: bool | None = None
    cache_control: CacheBreakpoint | None = None
    toolset_name: None = None


class ThinkingBlock(_Kind, frozen=True, tag="thinking"):
    """What a model thought; by the signature its provider knows it again."""

    thinking: str
    signature: str


class RedactedThinkingBlock(_Kind, frozen=True, tag="redacted_thinking"):
    """What a model thought and only its provider can read."""

    data: str


Block = SaidBlock | ToolUseBlock | ToolResultBlock | ThinkingBlock | RedactedThinkingBlock
AnswerBlock = ThinkingBlock | RedactedThinkingBlock | TextBlock | ToolUseBlock


class ConversationMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who said what."""

    role: Literal["user", "assistant", "system"]
    content: str | Annotated[list[Block], msgspec.Meta(min_length=1)]
