"""OpenAI's chat completions, as far as we read them.

Servers differ. What we do not need may be missing, null or of any shape; what we do need and cannot
read is left out, and the answer says that it was odd.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.token_count import text_size
from workers.providers.wire.figures import NOT_REPORTED, Figures, cost_in, first_number
from workers.providers.wire.loose_json import elements, mapping, text_in
from workers.providers.wire.reading import Reading

_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
_PLAIN = frozenset({"content", "role"})
_KNOWN = frozenset({"choices", "usage", "id", "object", "model", "created"})


class ChatCompletions:
    """Reads `chat.completion` and `chat.completion.chunk` objects; only their first choice."""

    def read_event(self, event: Mapping[str, object]) -> Reading | None:
        if _KNOWN.isdisjoint(event):
            return None
        return _plain_text(event) or _reading(event, said_in="delta")

    def read_whole(self, body: Mapping[str, object]) -> Reading | None:
        if not mapping(next(iter(elements(body.get("choices"))), None)).get("message"):
            return None
        return _reading(body, said_in="message")


def _plain_text(event: Mapping[str, object]) -> Reading | None:
    """The usual chunk, which holds text and nothing else: most of a stream is made of these."""
    choices, model = event.get("choices"), event.get("model")
    if not (isinstance(choices, list) and len(choices) == 1) or event.get("usage"):
        return None
    choice = choices[0]
    if not isinstance(choice, dict) or choice.get("finish_reason") is not None:
        return None
    delta = choice.get("delta")
    if not isinstance(delta, dict) or not delta.keys() <= _PLAIN:
        return None
    text = delta.get("content")
    if not (isinstance(text, str) and isinstance(model, str | None)):
        return None
    return Reading(text=text, model=model or "")


def _reading(content: Mapping[str, object], *, said_in: str) -> Reading:
    choices = content.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else {}
    choice = mapping(first)
    message, finish = choice.get(said_in), choice.get("finish_reason")
    said = mapping(message)
    written = said.get("content")
    text = text_in(written) or text_in(said.get("refusal"))
    return Reading(
        text=text,
        thought_size=_thought_size(said, written),
        model=text_in(content.get("model")),
        finish=text_in(finish),
        figures=_figures(mapping(content.get("usage"))),
        calls_tool=bool(said.get("tool_calls") or said.get("function_call")),
        is_odd=(
            not isinstance(choices, list | None)
            or not isinstance(first, dict)
            or not isinstance(message, dict | None)
            or not isinstance(finish, str | None)
            or not isinstance(written, str | list | None)
        ),
    )


def _thought_size(said: Mapping[str, object], written: object) -> int:
    for name in _THOUGHTS:
        if thought := said.get(name):
            return size_of(thought)
    if not isinstance(written, list):
        return 0
    # Some models put their thoughts among the parts of the content.
    return size_of([part for part in written if not text_in([part])])


def size_of(thought: object) -> int:
    """Bytes of the texts in it, whatever their shape; never zero for what is not empty."""
    if isinstance(thought, str):
        return text_size(thought)
    if not thought:
        return 0
    inner = [thought] if isinstance(thought, dict) else elements(thought)
    texts = (
        text_in(mapping(part).get(name) or "")
        for part in inner
        for name in ("text", "thinking", "content", "summary")
    )
    return max(1, sum(map(text_size, texts)))


def _figures(usage: Mapping[str, object]) -> Figures:
    if not usage:
        return NOT_REPORTED
    return Figures(
        input=first_number(usage, "prompt_tokens", "input_tokens"),
        output=first_number(usage, "completion_tokens", "output_tokens"),
        cached=first_number(
            usage,
            "prompt_tokens_details.cached_tokens",
            "input_tokens_details.cached_tokens",
            "prompt_cache_hit_tokens",
            "cached_tokens",
        ),
        cache_write=first_number(usage, "prompt_tokens_details.cache_write_tokens"),
        cost=cost_in(usage.get("cost")),
    )
