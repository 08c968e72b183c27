"""Fitting a long conversation: 500 messages of a few hundred characters into half their tokens.

CPU of the fit alone, the conversation being in memory. "Seen before" is every turn but the first
of a conversation on a worker: counts and weights of its texts are remembered.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Final

from shared.messages.item import Item, MessageItem, Role
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Progress, Rounds, Row
from workers.context.importance import Importance
from workers.context.tokens import Counters
from workers.context.window import Fitter

MESSAGES: Final = 500
ROUNDS: Final = 15
LIMIT_MILLISECONDS: Final = 5.0
_WORDS: Final = (
    "order invoice 47.15 please when Miriam deliver agreed A-4711 the a of to and that it is was "
    "for with we can you my Berlin account payment 2026-12-01 question answer code thanks should"
)


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """The median over fresh and over known conversations."""
    say(f"fitting a conversation of {MESSAGES} messages")
    rounds = Rounds()
    for nth in range(ROUNDS):
        talk = _conversation(Random(nth))
        fitter = Fitter(Counters(()).of("any"), Importance())
        budget = sum(map(fitter.tokens, talk)) // 2
        fresh = Fitter(Counters(()).of("any"), Importance())
        rounds.add(fresh=_fit(fresh, talk, budget))
        again = [MessageItem(item.role, f"{item.text()}") for item in talk]
        rounds.add(known=_fit(fresh, again, budget))
    yield _row("seen before", rounds["known"])
    yield _row("seen first", rounds["fresh"])


def _row(kind: str, milliseconds: float) -> Row:
    return Row(
        what=f"fit of a conversation of {MESSAGES} messages, {kind}, CPU",
        on="memory",
        unit="ms",
        ours=milliseconds,
        limit=LIMIT_MILLISECONDS,
    )


def _fit(fitter: Fitter, talk: list[Item], budget: int) -> float:
    began = time.process_time()
    fitter.fit(talk, token_budget=budget)
    return (time.process_time() - began) * 1e3


def _conversation(random: Random) -> list[Item]:
    return [
        MessageItem(
            Role.ASSISTANT if nth % 2 else Role.USER,
            " ".join(random.choices(_WORDS.split(), k=random.randint(20, 100))),
        )
        for nth in range(MESSAGES)
    ]
