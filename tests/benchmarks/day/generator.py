"""The day: a seeded stream of messages, each with the intent behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Final

import msgspec

from shared.messages.turn_report import Tier
from tests.benchmarks.day.labelled import labelled
from tests.benchmarks.day.phrases import FAMILIES, Family, fill

_MOST_TOKENS: Final = 3_000
"""No answer is longer."""


class Kind(StrEnum):
    """How a message relates to what was asked before."""

    FRESH = "fresh"
    REPEAT = "repeat"
    """The very same words."""
    PARAPHRASE = "paraphrase"
    """The same intent in other words."""
    TRAP = "trap"
    """Nearly the same words, another intent."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a day looks like; published with every result."""

    seed: int = 7
    messages: int = 1_500
    repeats: float = 0.30
    """Share of messages that repeat an earlier one word by word."""
    paraphrases: float = 0.15
    """Share that asks an earlier one's question in other words."""
    traps: float = 0.05
    """Share that looks like an earlier one and asks something else."""
    hard: float = 0.30
    """Share of fresh questions that need the large model."""
    can_wait: float = 0.6
    """Share of messages whose answer may come within a day."""
    zipf: float = 1.1
    """How much more often popular questions come back."""
    easy_tokens: float = 60.0
    hard_tokens: float = 500.0
    """Median length of an answer; lengths are log-normal."""
    spread: float = 0.6


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing that can be asked, and its right answer."""

    key: str
    hard: bool
    answer: str
    output_tokens: int


@dataclass(frozen=True, slots=True)
class DayMessage:
    """One message of the day."""

    text: str
    intent: Intent
    kind: Kind
    can_wait: bool = False

    @property
    def tier(self) -> Tier:
        """The model that it needs."""
        return Tier.LARGE if self.intent.hard else Tier.SMALL


@dataclass(frozen=True, slots=True)
class _Asked:
    """One filling of a family, in one wording."""

    family: Family
    values: dict[str, str]
    wording: int


@dataclass(slots=True)
class _Popularity:
    """Earlier questions, drawn by Zipf's law: their weights are Pareto-distributed."""

    exponent: float
    asked: list[_Asked] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, asked: _Asked, random: Random) -> None:
        self.asked.append(asked)
        self.weights.append(random.paretovariate(1.0 / self.exponent))

    def draw(self, random: Random, *, with_wordings: bool) -> _Asked | None:
        """An earlier question; with others to put it in, where they are wanted."""
        fits = [len(each.family.wordings) > 1 or not with_wordings for each in self.asked]
        weights = [weight * fit for weight, fit in zip(self.weights, fits, strict=True)]
        return random.choices(self.asked, weights)[0] if any(weights) else None


class Day:
    """Generates the same messages for the same parameters, always."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._random = Random(parameters.seed)
        self._waiting = Random(parameters.seed)  # its own, so that questions stay as they were
        self._popular = _Popularity(parameters.zipf)
        self._intents: dict[str, Intent] = {}
        self._fresh = {hard: self._shuffled(hard=hard) for hard in (False, True)}

    def messages(self) -> list[DayMessage]:
        """All of them, in order; call it once."""
        return [self._next() for _ in range(self._parameters.messages)]

    def _next(self) -> DayMessage:
        wanted, random = self._kind(), self._random
        if wanted is Kind.FRESH:
            return self._ask_fresh()
        asked = self._popular.draw(random, with_wordings=wanted is not Kind.REPEAT)
        if asked is None:
            return self._ask_fresh()
        if wanted is Kind.TRAP:
            return self._trap(asked)
        if wanted is Kind.PARAPHRASE:
            others = [n for n in range(len(asked.family.wordings)) if n != asked.wording]
            asked = _Asked(asked.family, asked.values, random.choice(others))
        return self._message(asked, wanted)

    def _kind(self) -> Kind:
        parameters, drawn = self._parameters, self._random.random()
        for kind, share in (
            (Kind.REPEAT, parameters.repeats),
            (Kind.PARAPHRASE, parameters.paraphrases),
            (Kind.TRAP, parameters.traps),
        ):
            if drawn < share:
                return kind
            drawn -= share
        return Kind.FRESH

    def _ask_fresh(self) -> DayMessage:
        hard = self._random.random() < self._parameters.hard
        try:
            family, values = next(self._fresh[hard])
        except StopIteration:
            raise ValueError("there are not so many questions: ask for fewer messages") from None
        asked = _Asked(family, values, self._random.randrange(len(family.wordings)))
        self._popular.add(asked, self._random)
        return self._message(asked, Kind.FRESH)

    def _message(self, asked: _Asked, kind: Kind) -> DayMessage:
        text = fill(asked.family.wordings[asked.wording], asked.values)
        key = fill(asked.family.wordings[0], asked.values)
        return self._wanted(text, self._intent(asked.family, key), kind)

    def _trap(self, asked: _Asked) -> DayMessage:
        text = fill(asked.family.traps[asked.wording], asked.values)
        key = fill(asked.family.traps[0], asked.values)
        return self._wanted(text, self._intent(asked.family, key), Kind.TRAP)

    def _wanted(self, text: str, intent: Intent, kind: Kind) -> DayMessage:
        return DayMessage(text, intent, kind, self._waiting.random() < self._parameters.can_wait)

    def _intent(self, family: Family, key: str) -> Intent:
        if key not in self._intents:
            answer = f"This is answer {len(self._intents)} of the day, about {family.name}."
            self._intents[key] = Intent(key, family.hard, answer, self._length(family))
        return self._intents[key]

    def _length(self, family: Family) -> int:
        if family.output_tokens is not None:
            return family.output_tokens
        parameters = self._parameters
        median = parameters.hard_tokens if family.hard else parameters.easy_tokens
        tokens = median * self._random.lognormvariate(0.0, parameters.spread)
        return min(int(tokens), _MOST_TOKENS)

    def _shuffled(self, *, hard: bool) -> Iterator[tuple[Family, dict[str, str]]]:
        every = [
            (family, values)
            for family in (*FAMILIES, *labelled())
            if family.hard is hard
            for values in family.combinations()
        ]
        self._random.shuffle(every)
        yield from every
