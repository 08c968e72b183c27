"""The one protocol that every validator speaks, and what an answer is held against."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from shared.messages.facts import Facts
from shared.messages.item import FunctionCall
from workers.validation.verdict import Catch


class AnswerFormat(Protocol):
    """The JSON that the caller asked for."""

    def problem(self, text: str) -> str | None:
        """What is wrong with the text, in words that quote nothing of it; None if it fits."""
        ...


class Offer(Protocol):
    """The tools that the caller offered."""

    def problem(self, calls: Sequence[FunctionCall], *, is_whole: bool) -> str | None:
        """What is wrong with the calls, in words that quote nothing of them; None if they fit."""
        ...


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer is for: the same for every answer of a turn."""

    tenant: str = ""
    """Whose message it is."""
    instructions: tuple[str, ...] = ()
    """What the system and the developer said."""
    conversation: tuple[str, ...] = ()
    """What everybody else said."""
    passages: tuple[str, ...] = ()
    """What was looked up for it, in the order of their citations `[1]`, `[2]`, …"""
    is_searched: bool = False
    """Whether passages were looked up for it, found or not."""
    facts: Facts = {}
    answer_format: AnswerFormat | None = None
    tools: Offer | None = None
    """None where there are none."""
    has_output_limit: bool = False
    """Whether the caller itself said after how many tokens to stop."""


class Draft(msgspec.Struct, frozen=True):
    """An answer on trial. `is_whole` is false where the provider had to stop before its end."""

    text: str
    is_whole: bool = True
    calls: tuple[FunctionCall, ...] = ()
    """What it asks of tools beside its text, which need not say anything then."""


class Subject(StrEnum):
    """What a validator is about: it is asked only where the question or the draft has some."""

    ANSWER = "answer"
    """Every draft is one."""
    TOOLS = "tools"
    FACTS = "facts"
    FORMAT = "format"
    INSTRUCTIONS = "instructions"
    SEARCH = "search"


class Validator(Protocol):
    """One rule. It has no state and needs no I/O."""

    subject: Subject

    @property
    def name(self) -> str:
        """What metrics and evidence call it."""

    def check(self, draft: Draft, question: Question) -> Catch | None:
        """What is wrong with the draft; None when it passes."""
