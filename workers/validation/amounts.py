"""Amounts: money that an answer names must be known from somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from shared.messages.facts import MoneyFact
from shared.secrets_in_text import PlainText
from workers.validation.claims.agreement import agrees
from workers.validation.claims.quantities import Quantity, quantities_in
from workers.validation.validator import Draft, Question, Subject
from workers.validation.verdict import Catch, Verdict, masked

_MOST_EVIDENCE: Final = 8

Given = dict[Decimal, set[frozenset[str] | None]]


class Amounts:
    """Catches an amount of money that no fact, passage, instruction or message holds.

    Unlike grounding it looks at nothing else, so an answer may count and number as it likes; and
    unlike the check of facts it needs no name beside the amount. With `tenants` only theirs are
    looked at.
    """

    name = "amounts"
    subject = Subject.ANSWER

    def __init__(self, *, verdict: Verdict, tenants: frozenset[str] = frozenset()) -> None:
        self._verdict = verdict
        self._tenants = tenants

    def check(self, draft: Draft, question: Question) -> Catch | None:
        if self._tenants and question.tenant not in self._tenants:
            return None
        text = PlainText(draft.text).text
        stated = _amounts(text)
        if not stated:
            return None
        unsupported = list(_unsupported(stated, text, question))
        if not unsupported:
            return None
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence="; ".join(f"amount {masked(said)}" for said in unsupported[:_MOST_EVIDENCE]),
            complaint="It named an amount of money that nothing you were given holds. Name only "
            "amounts that you were given.",
        )


def _amounts(text: str) -> list[Quantity]:
    return [quantity for quantity in quantities_in(text) if quantity.currencies is not None]


def _unsupported(stated: list[Quantity], text: str, question: Question) -> Iterator[str]:
    known = [fact for fact in question.facts.values() if isinstance(fact, MoneyFact)]
    rest = [one for one in stated if not any(agrees(one, fact, text) for fact in known)]
    if not rest:
        return
    given = _given(question)
    for amount in rest:
        if not any(
            _is_held(value, amount.currencies or frozenset(), given) for value in amount.values
        ):
            yield text[amount.start : amount.end].strip()


def _given(question: Question) -> Given:
    """Every number that the model was given, with what its currency may be."""
    given: Given = {}
    for source in (*question.instructions, *question.conversation, *question.passages):
        for quantity in quantities_in(PlainText(source).text):
            for value in quantity.values:
                given.setdefault(abs(value), set()).add(quantity.currencies)
    return given


def _is_held(value: Decimal, currencies: frozenset[str] | None, given: Given) -> bool:
    """A number without a currency will do: that of a table stands in its head."""
    known = given.get(abs(value), ())
    return any(other is None or not other.isdisjoint(currencies or ()) for other in known)
