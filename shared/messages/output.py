"""What an answer consists of, as a response tells it: what was thought, said, and asked of tools.

The ledger keeps the text by itself, and what is no text beside it as items. Both together, in one
order, are a response's output: the search, thoughts, then the message, then the calls. The id of
each follows from the response's, so that it is the same in every event and every reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from shared.identifiers import (
    FILE_SEARCH,
    FUNCTION_CALL,
    ITEM,
    OUTPUT_MESSAGE,
    REASONING,
    nth_id,
    sibling_id,
)
from shared.messages.file_search.found_text import Citations, FileCitation, OutputSearch
from shared.messages.item import FunctionCall, Item, MessageItem, ReasoningItem, Role, SearchCall
from shared.messages.part import OutputTextPart

Status = Literal["in_progress", "completed", "incomplete"]


class LikelyToken(msgspec.Struct, frozen=True):
    """A token that a model might write, and the logarithm of how likely it was."""

    token: str
    logprob: float
    bytes: list[int]


class TokenLogprob(LikelyToken, frozen=True):
    """A token that it wrote, and the likeliest at its place."""

    top_logprobs: list[LikelyToken] = []


class Logprobs(msgspec.Struct, frozen=True, tag_field="type", tag="logprobs"):
    """Of the tokens of an answer's text, in order."""

    tokens: tuple[TokenLogprob, ...]


AnswerItem = ReasoningItem | FunctionCall | Logprobs | SearchCall | Citations
"""What an answer has beside its text."""


class OutputText(msgspec.Struct, frozen=True):
    """The text of an answer."""

    text: str
    type: Literal["output_text"] = "output_text"
    annotations: Sequence[FileCitation] = ()
    logprobs: Sequence[TokenLogprob] = ()


class OutputMessage(msgspec.Struct, frozen=True, tag_field="type", tag="message"):
    """What the model said."""

    id: str
    content: list[OutputText]
    status: Status = "completed"
    role: Literal["assistant"] = "assistant"


class OutputCall(msgspec.Struct, frozen=True, tag_field="type", tag="function_call"):
    """What it asks of a tool; `arguments` is JSON."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: Status = "completed"


class OutputReasoning(msgspec.Struct, frozen=True, tag_field="type", tag="reasoning"):
    """What it thought: as much as its provider tells, and what only that provider can read."""

    id: str
    summary: list[dict[str, str]] = []
    encrypted_content: str | None = None
    status: Status = "completed"


OutputItem = OutputMessage | OutputCall | OutputReasoning | OutputSearch

_decoder: Final = msgspec.json.Decoder(tuple[AnswerItem, ...])


def encode_items(items: Sequence[AnswerItem]) -> str | None:
    """What the ledger keeps beside the text; None where there is nothing."""
    return msgspec.json.encode(items).decode() if items else None


def decode_items(stored: str | None) -> tuple[AnswerItem, ...]:
    """The same from the ledger."""
    return _decoder.decode(stored) if stored else ()


def is_only_text(stored: str) -> bool:
    """Whether it is no more than a text with what it was made from and refers to."""
    return all(isinstance(item, SearchCall | Citations) for item in decode_items(stored))


def asked_by_id(message_id: str, asked: Sequence[Item]) -> list[tuple[str, Item]]:
    """What was sent with a message, each item under the id that its caller gave it, or one of ours.

    Ours follow from the message's, so that they are the same in every reading.
    """
    return [(item.id or nth_id(ITEM, message_id, nth), item) for nth, item in enumerate(asked)]


def said_by_id(message_id: str, text: str | None, stored: str | None) -> list[tuple[str, Item]]:
    """The answer as a part of the conversation that goes on from it, under the ids of its output.

    An answer of nothing at all is no part of it.
    """
    if not stored:
        return [(output_message_id(message_id), MessageItem(Role.ASSISTANT, text))] if text else []
    items = decode_items(stored)
    thoughts, calls = enumerate(_thoughts(items)), enumerate(_calls(items))
    said = [(output_message_id(message_id), _said(text, items))] if text else []
    return [
        *((file_search_id(message_id), search) for search in _searches(items)),
        *((nth_id(REASONING, message_id, nth), thought) for nth, thought in thoughts),
        *said,
        *((nth_id(FUNCTION_CALL, message_id, nth), call) for nth, call in calls),
    ]


def output_items(
    message_id: str,
    text: str | None,
    items: Sequence[AnswerItem],
    *,
    is_whole: bool = True,
    tells_results: bool = False,
) -> list[OutputItem]:
    """The output of a response. Where there are calls, a message without text is left out.

    What a search found is in it where that `tells_results`.
    """
    output: list[OutputItem] = [
        told_search_call(message_id, search, tells_results=tells_results)
        for search in _searches(items)
    ]
    output += [
        told_reasoning(message_id, nth, thought) for nth, thought in enumerate(_thoughts(items))
    ]
    calls = _calls(items)
    if text or (text is not None and not calls):
        tokens, places = logprobs_of(items), citations_of(items)
        output.append(output_message(message_id, text, tokens, places, is_whole=is_whole))
    output += [
        OutputCall(nth_id(FUNCTION_CALL, message_id, nth), call.call_id, call.name, call.arguments)
        for nth, call in enumerate(calls)
    ]
    return output


def output_message_id(message_id: str) -> str:
    """The id of what is said in a response."""
    return sibling_id(OUTPUT_MESSAGE, message_id)


def file_search_id(message_id: str) -> str:
    """The id of the search of a response."""
    return sibling_id(FILE_SEARCH, message_id)


def told_search_call(message_id: str, search: SearchCall, *, tells_results: bool) -> OutputSearch:
    """The search of a response's output."""
    return OutputSearch(
        file_search_id(message_id),
        search.queries,
        "failed" if search.status == "failed" else "completed",
        search.results if tells_results else None,
    )


def output_message(
    message_id: str,
    text: str,
    logprobs: Sequence[TokenLogprob] = (),
    annotations: Sequence[FileCitation] = (),
    *,
    is_whole: bool,
) -> OutputMessage:
    """What is said in a response, as it stands when all its text is there."""
    status: Status = "completed" if is_whole else "incomplete"
    said = OutputText(text, annotations=annotations, logprobs=logprobs)
    return OutputMessage(output_message_id(message_id), [said], status)


def told_reasoning(message_id: str, nth: int, thought: ReasoningItem) -> OutputReasoning:
    """The nth thought of a response's output."""
    return OutputReasoning(
        nth_id(REASONING, message_id, nth), list(thought.summary), thought.encrypted_content
    )


def logprobs_of(items: Sequence[AnswerItem]) -> tuple[TokenLogprob, ...]:
    """How likely each token of the text was; nothing where nobody asked or nobody knew."""
    return next((item.tokens for item in items if isinstance(item, Logprobs)), ())


def citations_of(items: Sequence[AnswerItem]) -> tuple[FileCitation, ...]:
    """What the text refers to, in its order."""
    return next((item.places for item in items if isinstance(item, Citations)), ())


def _said(text: str, items: Sequence[AnswerItem]) -> MessageItem:
    places = citations_of(items)
    if not places:
        return MessageItem(Role.ASSISTANT, text)
    part = OutputTextPart(text, [msgspec.to_builtins(place) for place in places])
    return MessageItem(Role.ASSISTANT, [part])


def _searches(items: Sequence[AnswerItem]) -> list[SearchCall]:
    return [item for item in items if isinstance(item, SearchCall)]


def _thoughts(items: Sequence[AnswerItem]) -> list[ReasoningItem]:
    return [item for item in items if isinstance(item, ReasoningItem)]


def _calls(items: Sequence[AnswerItem]) -> list[FunctionCall]:
    return [item for item in items if isinstance(item, FunctionCall)]
