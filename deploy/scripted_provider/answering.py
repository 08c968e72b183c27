"""What a scripted provider says: an echo of the question, and tokens that can be counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from deploy.scripted_provider.behaviour import Behaviour, CalledTool, Kind
from deploy.scripted_provider.call import ScriptedCall
from deploy.scripted_provider.request import texts_of

_TOKEN = re.compile(r"\s*\S+")


class ReplyCall(msgspec.Struct, frozen=True):
    """A call of a tool; `id` without what a wire format begins its own with."""

    id: str
    name: str
    arguments: str


class ScriptedReply(msgspec.Struct, frozen=True):
    """A whole answer before it is put into a wire format."""

    tokens: list[str]
    input_tokens: int
    is_cut_by_limit: bool = False
    calls: tuple[ReplyCall, ...] = ()
    thought: str = ""

    @property
    def text(self) -> str:
        return "".join(self.tokens)

    @property
    def output_tokens(self) -> int:
        """Of the text, of the calls and of what was thought."""
        calls = sum(len(tokens_of(call.arguments)) for call in self.calls)
        return len(self.tokens) + calls + len(tokens_of(self.thought))


def reply_to(
    call: ScriptedCall, body: dict[str, Any], behaviour: Behaviour, *, number: int
) -> ScriptedReply:
    """The same question gets the same words; the limit on the answer's length is kept."""
    text, size = _text(call, behaviour), behaviour.piece_characters
    tokens = pieces_of(text, size) if size else tokens_of(text)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    is_cut = isinstance(limit, int) and limit < len(tokens)
    return ScriptedReply(
        tokens=tokens[:limit] if is_cut else tokens,
        input_tokens=sum(len(tokens_of(text)) for text in texts_of(body)),
        is_cut_by_limit=is_cut,
        calls=() if is_cut else tuple(_calls(call, behaviour, number)),
        thought=behaviour.thought or "",
    )


def tokens_of(text: str) -> list[str]:
    """A token is a word with the space before it; joined they are the text."""
    return _TOKEN.findall(text)


def pieces_of(text: str, size: int) -> list[str]:
    """As many characters each; the last one may have fewer."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def _calls(call: ScriptedCall, behaviour: Behaviour, number: int) -> Iterator[ReplyCall]:
    for index, called in enumerate(_called(call, behaviour)):
        name = called.name or (call.tools[0] if call.tools else "")
        yield ReplyCall(f"scripted{number}_{index}", name, called.arguments)


def _called(call: ScriptedCall, behaviour: Behaviour) -> tuple[CalledTool, ...]:
    if behaviour.kind is not Kind.TOOLS or call.outputs or call.called is None:
        return behaviour.calls
    return behaviour.calls or (call.called,)


def _text(call: ScriptedCall, behaviour: Behaviour) -> str:
    if behaviour.text is not None:
        return behaviour.text
    if _called(call, behaviour):
        return ""
    if behaviour.kind is Kind.TOOLS and call.outputs:
        return "\n".join(call.outputs)
    if behaviour.kind is Kind.WRONG_CONTENT:
        return "Your balance is $127,549.32 and your card number is 4111 1111 1111 1111."
    if behaviour.kind is Kind.EMPTY:
        return ""
    return f"You said: {call.content.strip()}" if call.content.strip() else "You said nothing."
