"""Facts: what the answer claims, held against what the producer knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shared.messages.metadata.facts import DateFact, Fact, MoneyFact, NumberFact, TextFact
from workers.validation.claims.claim import Claim, Claims
from workers.validation.claims.mentions import Mention, is_listed, mentions_in
from workers.validation.claims.quantities import Quantity, quantities_in
from workers.validation.claims.sentences import Sentence, sentences_of
from workers.validation.claims.statement import statement_after
from workers.validation.validator import Draft, Question
from workers.validation.verdict import Catch, Verdict, masked

_MOST_EVIDENCE: Final = 8


class FactCheck:
    """Catches a sentence that names a fact and gives it a value that it does not have.

    A value that directly follows or precedes the name ("your balance is $5") must be the fact's.
    Of the other values of the sentence one must be, unless the conversation named them all.
    """

    name = "facts"

    def __init__(self, *, verdict: Verdict) -> None:
        self._verdict = verdict

    def check(self, draft: Draft, question: Question) -> Catch | None:
        if not question.facts:
            return None
        wrong = dict(self._contradictions(draft.text, question))
        if not wrong:
            return None
        evidence = [f"{name}: the answer says {masked(said)}" for name, said in wrong.items()]
        known = ", ".join(f"{name} = {_shown(question.facts[name])}" for name in wrong)
        return Catch(
            validator=self.name,
            verdict=self._verdict,
            evidence="; ".join(evidence[:_MOST_EVIDENCE]),
            complaint=f"It contradicted what is known: {known}. State these values as they are.",
        )

    def _contradictions(self, text: str, question: Question) -> Iterator[tuple[str, str]]:
        named = mentions_in(text, question.facts)
        if not named:
            return
        claims = Claims(text)
        heard = [quantity for said in question.conversation for quantity in quantities_in(said)]
        for sentence in sentences_of(text):
            here = {
                name: [one for one in mentions if sentence.start <= one.start < sentence.end]
                for name, mentions in named.items()
            }
            for name, mentions in here.items():
                if not mentions:
                    continue
                others = [one for other, them in here.items() if other != name for one in them]
                own = [one for one in mentions if not is_listed(one, others, text)]
                said = _contradiction(
                    question.facts[name], text, sentence, own, claims=claims, heard=heard
                )
                if said is not None:
                    yield name, said


def _contradiction(
    fact: Fact,
    text: str,
    sentence: Sentence,
    mentions: list[Mention],
    *,
    claims: Claims,
    heard: list[Quantity],
) -> str | None:
    """The words of the sentence that contradict the fact; None where none do."""
    if isinstance(fact, TextFact):
        stated = (statement_after(text, mention, sentence.end) for mention in mentions)
        return next((said for said in stated if said and not _names(said, fact.value)), None)
    values = list(claims.within(sentence, fact))
    for claim in values:
        if not claim.holds(fact) and any(claim.is_of(mention, text) for mention in mentions):
            return claim.words(text)
    loose = [claim for claim in values if claim.is_of_its_kind and not _was_heard(claim, heard)]
    if loose and not any(claim.holds(fact) for claim in values):
        return loose[0].words(text)
    return None


def _names(said: str, value: str) -> bool:
    return value.casefold() in said.casefold()


def _was_heard(claim: Claim, heard: list[Quantity]) -> bool:
    values = claim.values
    return bool(values) and any(values & quantity.values for quantity in heard)


def _shown(fact: Fact) -> str:
    match fact:
        case MoneyFact():
            return f"{fact.value} {fact.currency or ''}".strip()
        case NumberFact():
            return f"{fact.value}"
        case DateFact():
            return fact.value.isoformat()
        case TextFact():
            return fact.value
