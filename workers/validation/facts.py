"""Facts: what the answer claims, held against what is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Final

from shared.messages.facts import Fact, TextFact
from shared.secrets_in_text import PlainText
from workers.validation.claims.agreement import Value, agrees
from workers.validation.claims.claims import Claims, is_of_its_kind
from workers.validation.claims.dates import dates_in
from workers.validation.claims.mentions import Mention, is_listed, mentions_in
from workers.validation.claims.quantities import Quantity, quantities_in
from workers.validation.claims.sentences import Sentence, sentences_of
from workers.validation.claims.statement import statement_after
from workers.validation.validator import Draft, Question, Subject
from workers.validation.verdict import Catch, Verdict, masked

_MOST_EVIDENCE: Final = 8


class FactCheck:
    """Catches a sentence that names a fact and gives it a value that it does not have.

    A value that directly follows or precedes the name ("your balance is $5") must be the fact's.
    Of the other values of the sentence one must be, unless the conversation named them all.
    """

    name = "facts"
    subject = Subject.FACTS

    def __init__(self, *, verdict: Verdict) -> None:
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:
        wrong = _AnswerReading(PlainText(draft.text).text, question).contradictions()
        if not wrong:
            return None
        evidence = [f"{name}: the answer says {masked(said)}" for name, said in wrong.items()]
        known = ", ".join(f"{name} = {question.facts[name].shown}" for name in wrong)
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence="; ".join(evidence[:_MOST_EVIDENCE]),
            complaint=f"It contradicted what is known: {known}. State these values as they are.",
        )


class _AnswerReading:
    """One answer, read for what it says of the facts."""

    def __init__(self, text: str, question: Question) -> None:
        self._text = text
        self._question = question

    def contradictions(self) -> dict[str, str]:
        """The facts that the text contradicts, each with the first words that do."""
        facts, text = self._question.facts, self._text
        mentions = mentions_in(text, facts)
        if not mentions:
            return {}
        days = list(dates_in(text))
        wrong: dict[str, str] = {}
        for sentence, here in _by_sentence(text, mentions):
            claims = Claims(text, sentence, days)
            for name, own in _by_fact(here):
                if name not in wrong and (said := self._other(facts[name], claims, own, here)):
                    wrong[name] = said
        return wrong

    def _other(
        self, fact: Fact, claims: Claims, own: Sequence[Mention], mentions: Sequence[Mention]
    ) -> str | None:
        """The words of a sentence that contradict the fact; None where none do."""
        if isinstance(fact, TextFact):
            return self._other_text(fact, claims, own, mentions)
        holds = False
        for mention in own:
            for value in claims.beside(mention, fact):
                if agrees(value, fact, self._text):
                    holds = True
                elif claims.belongs(value, mention, fact) and not is_listed(
                    mention, mentions, self._text
                ):
                    return self._words(value)
        return None if holds else self._loose_value(fact, claims)

    def _other_text(
        self, fact: TextFact, claims: Claims, own: Sequence[Mention], mentions: Sequence[Mention]
    ) -> str | None:
        for mention in own:
            said = statement_after(self._text, mention, claims.sentence.end)
            is_other = said is not None and not _names(said, fact.value)
            if is_other and not is_listed(mention, mentions, self._text):
                return said
        return None

    def _loose_value(self, fact: Fact, claims: Claims) -> str | None:
        """A value that stands further off, where none agrees and nobody had named them all."""
        values = claims.fit_for(fact)
        if not values or any(agrees(value, fact, self._text) for value in values):
            return None
        loose = (value for value in values if is_of_its_kind(value, fact))
        said = next((value for value in loose if not self._was_heard(value)), None)
        return None if said is None else self._words(said)

    def _was_heard(self, value: Value) -> bool:
        return isinstance(value, Quantity) and not self._heard.isdisjoint(value.values)

    def _words(self, value: Value) -> str:
        return self._text[value.start : value.end].strip()

    @cached_property
    def _heard(self) -> frozenset[Decimal]:
        """Every number that the conversation named; few answers make it needed."""
        heard = (PlainText(text).text for text in self._question.conversation)
        said = (one for text in heard for one in quantities_in(text))
        return frozenset(value for quantity in said for value in quantity.values)


def _by_sentence(
    text: str, mentions: Sequence[Mention]
) -> Iterator[tuple[Sentence, Sequence[Mention]]]:
    """The sentences that mention anything, with what they mention."""
    first, count = 0, len(mentions)
    for sentence in sentences_of(text):
        last = first
        while last < count and mentions[last].start < sentence.end:
            last += 1
        if last > first:
            yield sentence, mentions[first:last]
            first = last
        if first == count:
            return


def _by_fact(mentions: Sequence[Mention]) -> Iterable[tuple[str, Sequence[Mention]]]:
    if len(mentions) == 1:
        return ((mentions[0].fact, mentions),)
    own: dict[str, list[Mention]] = {}
    for mention in mentions:
        own.setdefault(mention.fact, []).append(mention)
    return own.items()


def _names(said: str, value: str) -> bool:
    return value.casefold() in said.casefold()
