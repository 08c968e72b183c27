"""Stored answers that came from elsewhere, and how long turns take beside their calls."""

from __future__ import annotations

from bisect import bisect_left
from random import Random
from typing import Final

from deploy.replay.day.recorded_day import RecordedDay, RecordedMessage
from deploy.replay.rules.answer_store import AnswerStore, StoredFinding
from shared.messages.turn_report import CacheKind
from shared.settings.turn.semantic_caching import SemanticCachingSettings

_NEAREST: Final = 16


class Sources:
    """What the day knows of the cache beyond equal questions.

    A question of the same meaning is known by the answer that it was given on the day, and how
    alike both were: below the day's own threshold nothing is known.
    """

    def __init__(
        self,
        day: RecordedDay,
        store: AnswerStore,
        semantic: SemanticCachingSettings,
        random: Random,
    ) -> None:
        self._store = store
        self._semantic = semantic
        self._random = random
        self._keys = {each.id: each.key for each in day.messages if each.key is not None}
        self._false = {(each.key, each.source) for each in day.messages if each.is_false_hit}
        self._hits = sorted((each.at, each.took or 0.0) for each in day.messages if _is_hit(each))
        self._rests = sorted((each.at, rest_of(each)) for each in day.messages if each.attempts)
        self._warm(day)

    def look_up(self, message: RecordedMessage, found: StoredFinding, now: float) -> StoredFinding:
        """The answer to a question of the same meaning, or what was found."""
        if message.hit is not CacheKind.SEMANTIC or message.source is None:
            return found
        alike = message.similarity if message.similarity is not None else 1.0
        if not self._semantic.enabled or alike < (self._semantic.threshold or 0.0):
            return found
        key = self._keys.get(message.source, _key_of(message.source))
        stored = self._store.look_up(message.tenant, key, "", now)
        return found if stored.answer is None else stored

    def is_false(self, message: RecordedMessage, answer: str) -> bool:
        """Whether the same answer to the same question was reported as wrong."""
        return (message.key, answer) in self._false

    def seconds_of_hit(self, message: RecordedMessage) -> float:
        """How long a turn takes that calls nobody."""
        if _is_hit(message):
            return message.took or 0.0
        return self._near(self._hits, message.at)

    def seconds_after(self, message: RecordedMessage) -> float:
        """From the last call to the end."""
        return rest_of(message) if message.attempts else self._near(self._rests, message.at)

    def _near(self, times: list[tuple[float, float]], at: float) -> float:
        if not times:
            return 0.0
        place = bisect_left(times, (at, 0.0))
        low, high = max(0, place - _NEAREST), min(len(times), place + _NEAREST)
        return times[self._random.randrange(low, high)][1]

    def _warm(self, day: RecordedDay) -> None:
        """Answers that were stored before the day began."""
        before = []
        for each in day.messages:
            if each.hit is None or each.source is None or each.source in self._keys:
                continue
            stored_at = each.at + (each.waited or 0.0) - each.age
            is_same = each.hit is not CacheKind.SEMANTIC
            key = each.key if is_same and each.key else _key_of(each.source)
            if stored_at < day.began:
                before.append((stored_at, each.tenant, key, each.source))
        for stored_at, tenant, key, source in sorted(before):
            self._store.store(tenant, key, source, stored_at)


def rest_of(message: RecordedMessage) -> float:
    """Seconds from a message's last call to its end."""
    last = message.attempts[-1]
    return max(0.0, (message.took or 0.0) - last.offset - last.latency)


def _is_hit(message: RecordedMessage) -> bool:
    return message.hit is not None and message.took is not None


def _key_of(source: str) -> str:
    """Where the answer to a question lies that nobody asked on the day."""
    return f"of {source}"
