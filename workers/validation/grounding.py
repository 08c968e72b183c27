"""Grounding: what the answer states must stand in what the model was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any, Final

import re2

from shared.messages.facts import DateFact, MoneyFact, NumberFact, TextFact
from shared.secrets_in_text import PlainText
from workers.validation.claims.names import names_in
from workers.validation.claims.quantities import quantities_in
from workers.validation.marks import Citing, citings_in, unknown_numbers
from workers.validation.validator import Draft, Question, Subject
from workers.validation.verdict import Catch, Verdict, masked

_SMALL: Final = Decimal(10)
"""Numbers up to here count steps and sides more often than they state anything."""
_QUOTATION: Final = r"[\"“]([^\"“”\n]{12,400})[\"”]"
_ADDRESS: Final = r"https?://[^\s<>()\"'\]]+"
_MOST_EVIDENCE: Final = 8


class Grounding:
    """Catches numbers, quotations, citations and addresses that nothing given holds; and names,
    where passages were looked up to answer from.

    It cannot tell a number that was worked out from one that was made up: see when not to use it.
    """

    name = "grounding"

    def __init__(self, *, verdict: Verdict | None, searched: Verdict | None = None) -> None:
        """`searched` is the verdict on answers for which passages were looked up; None for either
        lets them be."""
        self.subject = Subject.SEARCH if verdict is None else Subject.ANSWER
        self._verdict = verdict
        self._searched = searched

    def check(self, draft: Draft, question: Question) -> Catch | None:
        verdict = (self._searched or self._verdict) if question.is_searched else self._verdict
        if verdict is None:
            return None
        unsupported = list(_unsupported(draft.text, question))
        if not unsupported:
            return None
        evidence = "; ".join(f"{kind} {masked(said)}" for kind, said in unsupported)
        kinds = ", ".join(dict.fromkeys(kind for kind, _ in unsupported))
        return Catch(
            validator=self.name,
            verdict=verdict,
            evidence=evidence,
            complaint=f"It stated what nothing you were given supports ({kinds}). "
            "State only what stands in the conversation and the passages.",
        )


def _unsupported(said: str, question: Question) -> Iterator[tuple[str, str]]:
    # The numbers in marks count passages, and state nothing.
    has_marks = bool(question.passages) or question.is_searched
    citings = list[Citing]()
    if has_marks and question.answer_format is None:
        said, citings = citings_in(said)
    text = PlainText(said).text
    written = (*question.instructions, *question.conversation, *question.passages)
    sources = tuple(PlainText(one).text for one in written)
    found = [
        *_numbers(text, sources, question),
        *_quotations(text, sources, question),
        *_citations(citings, question),
        *_names(said if question.is_searched else "", sources),
        *_addresses(text, sources),
    ]
    yield from found[:_MOST_EVIDENCE]


def _numbers(text: str, sources: tuple[str, ...], question: Question) -> Iterator[tuple[str, str]]:
    stated = [one for one in quantities_in(text) if min(map(abs, one.values)) > _SMALL]
    if not stated:
        return
    known = {value for source in sources for one in quantities_in(source) for value in one.values}
    for fact in question.facts.values():
        if isinstance(fact, MoneyFact | NumberFact):
            known.add(fact.value)
        elif isinstance(fact, DateFact):
            known |= {Decimal(fact.value.year), Decimal(fact.value.day)}
    known = {abs(value) for value in known}
    for one in stated:
        if known.isdisjoint(map(abs, one.values)):
            yield "number", text[one.start : one.end].strip()


def _quotations(
    text: str, sources: tuple[str, ...], question: Question
) -> Iterator[tuple[str, str]]:
    quoted = _compiled(_QUOTATION).findall(text)
    if not quoted:
        return
    texts = [fact.value for fact in question.facts.values() if isinstance(fact, TextFact)]
    given = [_plain(source) for source in (*sources, *texts)]
    for words in quoted:
        if not any(_plain(words).rstrip(".,;:!?") in source for source in given):
            yield "quotation", words


def _citations(citings: Iterable[Citing], question: Question) -> Iterator[tuple[str, str]]:
    for number in unknown_numbers(citings, len(question.passages)):
        yield "citation", f"[{number}]"


def _names(text: str, sources: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    names = list(names_in(text))
    if not names:
        return
    given = "\n".join(sources).casefold()
    for name in names:
        if not all(word.casefold() in given for word in name.split()):
            yield "name", name


def _addresses(text: str, sources: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for found in _compiled(_ADDRESS).findall(text):
        address = found.rstrip(".,;:!?")
        if not any(address in source for source in sources):
            yield "address", address


@cache
def _compiled(pattern: str) -> Any:
    """Once it is needed: these take RE2 a megabyte, and most answers have no passages."""
    return re2.compile(pattern)


def _plain(text: str) -> str:
    return " ".join(PlainText(text).text.split()).casefold()
