"""Rounds over random histories, held against a model that is too simple to be wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.alerts.state import AlertEventKind
from shared.settings.watching.alerts import AlertSettings
from tests.unit.shared.alerts.rounds import EVERY_SECONDS, Rounds, rule

_UNREAD = -1.0
"""The figure could not be asked; None is one that had nothing to say."""
_SEEN = st.sampled_from([20.0, 5.0, None, _UNREAD])
_RUNS = st.lists(st.tuples(_SEEN, st.integers(1, 9)), max_size=30).map(
    lambda runs: [value for value, number in runs for _ in range(number)]
)
_FOR, _RESOLVE, _FLAPS, _SILENT, _REMIND = 2, 3, 8, 4, 12
"""In rounds."""
_CLEAR, _UNKNOWN = (5.0, None), (None, _UNREAD)
_SETTINGS = AlertSettings(
    resolve_after_seconds=_RESOLVE * EVERY_SECONDS,
    flapping_seconds=_FLAPS * EVERY_SECONDS,
    no_data_seconds=_SILENT * EVERY_SECONDS,
    remind_seconds=_REMIND * EVERY_SECONDS,
)


@dataclass
class _Model:
    """Looks at the whole history of values anew in every round."""

    fires: bool = False
    fired_at: int = 0
    resolved_at: int = -1_000
    flaps: bool = False
    told: AlertEventKind = AlertEventKind.RESOLVED
    told_at: int = -1_000
    pending: int | None = None
    seen: list[float | None] = field(default_factory=list)

    def sees(self, value: float | None) -> list[AlertEventKind]:
        now = len(self.seen)
        self.seen.append(value)
        if self.fires:
            self._firing(now)
        else:
            self._quiet(now, value)
        kind = self._tells(now)
        if kind is None:
            return []
        self.told_at = now
        if kind is not AlertEventKind.REMINDED:
            self.told = kind
        return [kind]

    def _quiet(self, now: int, value: float | None) -> None:
        if value == 5.0:
            self.pending = None
        elif value in _UNKNOWN:
            # What began is neither forgotten nor fires while nothing is known, unless that lasts.
            if self.pending is not None and self._in_a_row(_UNKNOWN) > _SILENT:
                self.pending = None
        else:
            self.pending = now if self.pending is None else self.pending
            if now - self.pending >= _FOR:
                self.fires, self.fired_at = True, now
                self.flaps = now - max(self.resolved_at, self.told_at) < _FLAPS
                self.pending = None

    def _firing(self, now: int) -> None:
        wanted = max(_RESOLVE, _FLAPS) if self.flaps else _RESOLVE
        is_clear = self.seen[-1] in _CLEAR and self._since_it_held() > wanted
        if is_clear or self._in_a_row({_UNREAD}) > _SILENT:
            self.fires, self.resolved_at = False, now

    def _tells(self, now: int) -> AlertEventKind | None:
        believed = self.told is AlertEventKind.FIRED
        if self.flaps and now - self.told_at < _FLAPS:
            return None
        if self.fires and not believed:
            stopped = self.flaps and any(each in _CLEAR for each in self._after_it_held())
            return None if stopped else AlertEventKind.FIRED
        if not self.fires and believed:
            return AlertEventKind.RESOLVED
        is_due = self.fires and now - self.told_at >= _REMIND
        return AlertEventKind.REMINDED if is_due else None

    def _in_a_row(self, values: Collection[float | None]) -> int:
        number = 0
        for value in reversed(self.seen[self.fired_at + 1 if self.fires else 0 :]):
            if value not in values:
                break
            number += 1
        return number

    def _since_it_held(self) -> int:
        """Rounds from the first that was clear, and in which nothing held since, to this one."""
        after = self._after_it_held()
        return len(after) - next(at for at, value in enumerate(after) if value in _CLEAR)

    def _after_it_held(self) -> list[float | None]:
        lately = self.seen[self.fired_at + 1 :]
        held = max((at for at, value in enumerate(lately) if value == 20.0), default=-1)
        return lately[held + 1 :]


def _seen(rounds: Rounds, value: float | None) -> list[AlertEventKind]:
    if value == _UNREAD:
        return rounds.cannot_be_read(seconds=EVERY_SECONDS)
    return rounds.sees(value)


@given(_RUNS)
def test_a_random_history_is_told_as_the_model_tells_it(values: list[float | None]) -> None:
    rounds = Rounds(rule(for_seconds=_FOR * EVERY_SECONDS), settings=_SETTINGS)
    model = _Model()
    assert [_seen(rounds, value) for value in values] == [model.sees(value) for value in values]


@given(_RUNS)
def test_what_is_told_alternates_and_only_what_flaps_is_held_back(
    values: list[float | None],
) -> None:
    rounds = Rounds(rule(for_seconds=_FOR * EVERY_SECONDS), settings=_SETTINGS)
    for value in values:
        _seen(rounds, value)
    kinds = [each.kind for each in rounds.told if each.kind is not AlertEventKind.REMINDED]
    expected = [AlertEventKind.FIRED, AlertEventKind.RESOLVED] * len(kinds)
    assert kinds == expected[: len(kinds)]
    fires = any(alert.state == "firing" for alert in rounds.alerts.values())
    flaps = any(alert.flaps for alert in rounds.alerts.values())
    assert fires is bool(len(kinds) % 2) or flaps


@given(_RUNS)
def test_no_firing_is_told_within_the_flapping_time_after_another_message(
    values: list[float | None],
) -> None:
    rounds = Rounds(rule(for_seconds=_FOR * EVERY_SECONDS), settings=_SETTINGS)
    for value in values:
        _seen(rounds, value)
    for earlier, later in pairwise(rounds.told):
        passed = (later.at - earlier.at).total_seconds()
        assert later.kind is not AlertEventKind.FIRED or passed >= _FLAPS * EVERY_SECONDS
