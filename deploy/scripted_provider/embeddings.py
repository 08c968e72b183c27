"""OpenAI's embeddings, as a server writes them. The vectors count words and understand none."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import msgspec

from deploy.scripted_provider.answering import ScriptedReply, tokens_of
from deploy.scripted_provider.call import ScriptedCall
from deploy.scripted_provider.openai_format import OpenAIFormat

DIMENSIONS = 64
_LONGEST_CHARACTERS = 32_768
"""Longer than any model of this wire format reads."""
_FIELDS = frozenset({"model", "input", "encoding_format", "dimensions", "user", "messages"})


def as_messages(body: dict[str, Any]) -> dict[str, Any]:
    """The body, its texts also where those of a chat would be, so that a script can match them."""
    asked = body.get("input")
    texts = [asked] if isinstance(asked, str) else asked
    if not isinstance(texts, list):
        return body
    return {**body, "messages": [{"role": "user", "content": text} for text in texts]}


def embeddings_fault(body: dict[str, Any]) -> str | None:
    """What OpenAI would refuse; None where it would be answered."""
    return next(_faults(body), None)


def _faults(body: dict[str, Any]) -> Iterator[str]:
    texts = _texts(body)
    for field in body.keys() - _FIELDS:
        yield f"Unrecognized request argument supplied: {field}"
    if not 1 <= len(texts) <= 2048:
        yield "'$.input' is invalid: 1 to 2048 texts are taken."
    if not all(isinstance(text, str) and text for text in texts):
        yield "'$.input' is invalid: an empty text, or one that is none."
    elif any(len(text) > _LONGEST_CHARACTERS for text in texts):
        yield "This model's maximum context length is 8192 tokens. Reduce your input."
    if body.get("encoding_format", "float") not in {"float", "base64"}:
        yield "'$.encoding_format' is invalid."
    dimensions = body.get("dimensions", DIMENSIONS)
    if not (isinstance(dimensions, int) and 1 <= dimensions <= 4096):
        yield "'$.dimensions' is invalid."


class EmbeddingFormat(OpenAIFormat):
    """Renders one call's vectors. Its errors are those of a chat."""

    def __init__(self, call: ScriptedCall, body: dict[str, Any], *, number: int) -> None:
        super().__init__(call, body, number=number)
        self._model = call.model
        self._texts = _texts(body)
        self._is_packed = body.get("encoding_format") == "base64"
        self._dimensions = body.get("dimensions") or DIMENSIONS

    def whole(self, reply: ScriptedReply, *, with_usage: bool = True) -> bytes:
        content: dict[str, object] = {
            "object": "list",
            "data": [
                {"object": "embedding", "index": index, "embedding": self._vector(text)}
                for index, text in enumerate(self._texts)
            ],
            "model": self._model,
        }
        if with_usage:
            tokens = reply.input_tokens
            content["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
        return msgspec.json.encode(content)

    def _vector(self, text: str) -> list[float] | str:
        """Each word adds to one place, and the first place is never empty."""
        numbers = [0.0] * self._dimensions
        numbers[0] = 0.5
        for word in tokens_of(text.lower()):
            digest = blake2b(word.strip().encode("utf-8", "replace"), digest_size=4).digest()
            numbers[int.from_bytes(digest, "big") % self._dimensions] += 1.0
        if not self._is_packed:
            return numbers
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def _texts(body: dict[str, Any]) -> list[Any]:
    asked = body.get("input")
    return [asked] if isinstance(asked, str) else asked if isinstance(asked, list) else []
