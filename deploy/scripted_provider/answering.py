"""What a scripted provider says: an echo of the question, and tokens that can be counted."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.call import ScriptedCall

_TOKEN = re.compile(r"\s*\S+")


class ScriptedReply(msgspec.Struct, frozen=True):
    """A whole answer before it is put into a wire format."""

    tokens: list[str]
    input_tokens: int
    is_cut_by_limit: bool = False

    @property
    def text(self) -> str:
        return "".join(self.tokens)


def reply_to(call: ScriptedCall, body: dict[str, Any], behaviour: Behaviour) -> ScriptedReply:
    """The same question gets the same words; the limit on the answer's length is kept."""
    text, size = _text(call, behaviour), behaviour.piece_characters
    tokens = pieces_of(text, size) if size else tokens_of(text)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    is_cut = isinstance(limit, int) and limit < len(tokens)
    return ScriptedReply(
        tokens=tokens[:limit] if is_cut else tokens,
        input_tokens=sum(len(tokens_of(text)) for text in texts_of(body)),
        is_cut_by_limit=is_cut,
    )


def tokens_of(text: str) -> list[str]:
    """A token is a word with the space before it; joined they are the text."""
    return _TOKEN.findall(text)


def pieces_of(text: str, size: int) -> list[str]:
    """As many characters each; the last one may have fewer."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def texts_of(body: dict[str, Any]) -> list[str]:
    """Every text of a request: the system prompt and all messages, in either wire format."""
    texts = [_flat(body["system"])] if body.get("system") else []
    return texts + [_flat(message.get("content")) for message in body["messages"]]


def instructions_of(body: dict[str, Any]) -> str:
    """All system messages, one a line, in either wire format."""
    texts = [_flat(body["system"])] if body.get("system") else []
    said = (each for each in body["messages"] if each.get("role") in {"system", "developer"})
    return "\n".join([*texts, *(_flat(each.get("content")) for each in said)])


def last_user_text(body: dict[str, Any]) -> str:
    for message in reversed(body["messages"]):
        if message.get("role") == "user":
            return _flat(message.get("content"))
    return ""


def _text(call: ScriptedCall, behaviour: Behaviour) -> str:
    if behaviour.text is not None:
        return behaviour.text
    if behaviour.kind is Kind.WRONG_CONTENT:
        return "Your balance is $127,549.32 and your card number is 4111 1111 1111 1111."
    if behaviour.kind is Kind.EMPTY:
        return ""
    return f"You said: {call.content.strip()}" if call.content.strip() else "You said nothing."


def _flat(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part.get("text", "") for part in content if isinstance(part, dict))
    return ""
