"""The guardrail: what an answer must hold, and what happens to one that does not."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import msgspec

from shared.settings.units import PositiveInt


class Reaction(StrEnum):
    """What is done with an answer that a validator catches."""

    OFF = "off"
    RE_ASK = "re_ask"
    NEXT_PROVIDER = "next_provider"
    HANDOFF = "handoff"


class SpanReaction(StrEnum):
    """The same where the caught span alone can be taken out."""

    OFF = "off"
    FIX = "fix"
    RE_ASK = "re_ask"
    NEXT_PROVIDER = "next_provider"
    HANDOFF = "handoff"


class BuiltIn(StrEnum):
    """Patterns that need no writing."""

    SSN = "ssn"
    CARD = "card"
    SECRET = "secret"  # noqa: S105 - the name of a pattern
    EMAIL = "email"


class ValidationSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every answer is held against before it leaves."""

    forbidden: SpanReaction = SpanReaction.FIX
    """To a span that a pattern forbids."""
    built_ins: tuple[BuiltIn, ...] = (BuiltIn.SSN, BuiltIn.CARD, BuiltIn.SECRET)
    """The built-in patterns that are forbidden; known are ssn, card, secret, email."""
    patterns: dict[str, str] = {}
    """Patterns of your own by name, in RE2's syntax."""
    replacement: Annotated[str, msgspec.Meta(max_length=100)] = "[removed]"
    """What stands where a forbidden span stood."""
    hold_back_characters: Annotated[int, msgspec.Meta(ge=64, le=4096)] = 64
    """The end of a stream that is held back where there are patterns of your own, which must show
    within it. The built-in ones need no more than the last word.
    """
    facts: Reaction = Reaction.RE_ASK
    """To a claim that contradicts a fact attached to the message or looked up for it."""
    amounts: Reaction = Reaction.OFF
    """To an amount of money that neither a fact, nor a passage, nor the conversation holds."""
    amounts_tenants: tuple[str, ...] = ()
    """The ids of the tenants whose answers are held against that; all, where none is named."""
    grounding: Reaction = Reaction.OFF
    """To a number, quotation or citation that nothing the model was given holds."""
    grounding_of_searches: Reaction = Reaction.RE_ASK
    """The same, and to a name, in answers for which files were searched. Off leaves those to
    `grounding`.
    """
    refusal: Reaction = Reaction.OFF
    """To an answer that refuses."""
    empty: Reaction = Reaction.RE_ASK
    """To an answer of nothing but white space."""
    cut_off: Reaction = Reaction.OFF
    """To an answer that ends at a limit of tokens which the caller did not set."""
    length: Reaction = Reaction.NEXT_PROVIDER
    """To an answer with too few or too many characters."""
    shortest_characters: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Fewer are too few."""
    longest_characters: PositiveInt = 200_000
    """More are too many."""
    tool_calls: Reaction = Reaction.RE_ASK
    """To calls that the offered tools do not take, and to a missing one that had to be made."""
    json_schema: Reaction = Reaction.RE_ASK
    """To an answer that breaks the JSON format its caller asked for."""
    injection_echo: Reaction = Reaction.NEXT_PROVIDER
    """To an answer that repeats its instructions word for word."""
    echo_characters: Annotated[int, msgspec.Meta(ge=20)] = 160
    """So many characters in a row are a repetition."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        if self.shortest_characters > self.longest_characters:
            yield (
                "validation.shortest_characters is above validation.longest_characters "
                f"({self.longest_characters}): no answer could pass. Lower it."
            )
        if self.amounts_tenants and self.amounts is Reaction.OFF:
            yield (
                "validation.amounts_tenants names tenants, and validation.amounts is off. Set it "
                "to re_ask, or name no tenants."
            )
        for name, pattern in self.patterns.items():
            if problem := pattern_problem(pattern):
                yield f"validation.patterns.{name} = {pattern!r}: {problem}"


def pattern_problem(pattern: str) -> str | None:
    """What keeps the engine from using a pattern, with the fix; None when nothing does."""
    # Imported here: who has no patterns of their own needs no engine to read settings.
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options=options)
    except re2.error as error:
        said = error.args[0]
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        return f"{text}. Mend the pattern; RE2 has no look-around and no back-references."
    if compiled.fullmatch(""):
        return "matches the empty text, so it would fit everything. Let it need a character."
    return None
