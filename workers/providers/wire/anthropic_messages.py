"""The wire types of Anthropic's messages, as far as we read them."""

from __future__ import annotations

import msgspec

from workers.providers.outcome import FinishReason, Usage

_FINISH_REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "refusal": FinishReason.CONTENT_FILTER,
}


class WireUsage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None

    def updated_by(self, later: WireUsage) -> WireUsage:
        """A stream reports its figures in parts; the latest one of each counts."""
        return WireUsage(
            **{
                field: value if (value := getattr(later, field)) is not None else known
                for field, known in msgspec.structs.asdict(self).items()
            }
        )

    def usage(self) -> Usage | None:
        """The figures, or None when one is missing. On the wire cached input is counted apart."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        cached = self.cache_read_input_tokens or 0
        return Usage(
            input_tokens=self.input_tokens + cached + (self.cache_creation_input_tokens or 0),
            output_tokens=self.output_tokens,
            cached_tokens=cached,
        )


class ContentBlock(msgspec.Struct):
    type: str
    text: str = ""


class WireMessage(msgspec.Struct):
    content: list[ContentBlock]
    model: str | None = None
    stop_reason: str | None = None
    usage: WireUsage = msgspec.field(default_factory=WireUsage)

    @property
    def text(self) -> str:
        return "".join(block.text for block in self.content if block.type == "text")


class Delta(msgspec.Struct):
    type: str = ""
    text: str = ""
    stop_reason: str | None = None


class StreamEvent(msgspec.Struct):
    """Any event of the stream; which fields are set depends on `type`."""

    type: str
    message: WireMessage | None = None
    delta: Delta | None = None
    usage: WireUsage = msgspec.field(default_factory=WireUsage)
    error: msgspec.Raw = msgspec.Raw()

    @property
    def reports_error(self) -> bool:
        return bytes(self.error) not in (b"", b"null")


def finish_reason(wire_reason: str | None) -> FinishReason:
    """Our word for theirs; one that is new to us is a plain stop."""
    return _FINISH_REASONS.get(wire_reason or "", FinishReason.STOP)
