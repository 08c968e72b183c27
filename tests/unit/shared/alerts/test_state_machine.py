"""Rounds over random histories, held against a model that is too simple to be wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from shared.alerts.state import AlertEventKind
from shared.settings.watching.alerts import AlertSettings
from tests.unit.shared.alerts.rounds import EVERY_SECONDS, Rounds, rule

_RUNS = st.lists(st.tuples(st.sampled_from([20.0, 5.0, None]), st.integers(1, 9)), max_size=30).map(
    lambda runs: [value for value, number in runs for _ in range(number)]
)
_FOR, _RESOLVE, _FLAPS, _SILENT, _REMIND = 2, 3, 8, 4, 12
"""In rounds."""
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
    told_at: int = 0
    pending: int | None = None
    seen: list[float | None] = field(default_factory=list)

    def sees(self, value: float | None) -> list[AlertEventKind]:
        now = len(self.seen)
        self.seen.append(value)
        if self.fires:
            return self._firing(now)
        if value == 5.0:
            self.pending = None
        elif value is None:
            # What began is neither forgotten nor fires while nothing is known, unless that lasts.
            if self.pending is not None and self._in_a_row({None}) > _SILENT:
                self.pending = None
        else:
            self.pending = now if self.pending is None else self.pending
            if now - self.pending >= _FOR:
                self.fires, self.fired_at, self.told_at = True, now, now
                self.flaps = now - self.resolved_at < _FLAPS
                self.pending = None
                return [AlertEventKind.FIRED]
        return []

    def _firing(self, now: int) -> list[AlertEventKind]:
        wanted = max(_RESOLVE, _FLAPS) if self.flaps else _RESOLVE
        is_clear = self.seen[-1] == 5.0 and self._since_it_held(now) > wanted
        if is_clear or self._in_a_row({None}) > _SILENT:
            self.fires, self.resolved_at = False, now
            return [AlertEventKind.RESOLVED]
        if now - self.told_at >= _REMIND:
            self.told_at = now
            return [AlertEventKind.REMINDED]
        return []

    def _in_a_row(self, values: set[float | None]) -> int:
        number = 0
        for value in reversed(self.seen[self.fired_at + 1 if self.fires else 0 :]):
            if value not in values:
                break
            number += 1
        return number

    def _since_it_held(self, now: int) -> int:
        """Rounds from the first that was clear, and in which nothing held since, to this one."""
        lately = self.seen[self.fired_at + 1 :]
        held = max((at for at, value in enumerate(lately) if value == 20.0), default=-1)
        after = lately[held + 1 :]
        return len(after) - after.index(5.0)


@given(_RUNS)
def test_a_random_history_is_told_as_the_model_tells_it(values: list[float | None]) -> None:
    rounds = Rounds(rule(for_seconds=_FOR * EVERY_SECONDS), settings=_SETTINGS)
    model = _Model()
    assert [rounds.sees(value) for value in values] == [model.sees(value) for value in values]


@given(_RUNS)
def test_what_is_told_alternates_and_the_state_is_what_was_told(
    values: list[float | None],
) -> None:
    rounds = Rounds(rule(for_seconds=_FOR * EVERY_SECONDS), settings=_SETTINGS)
    for value in values:
        rounds.sees(value)
    kinds = [each.kind for each in rounds.told if each.kind is not AlertEventKind.REMINDED]
    expected = [AlertEventKind.FIRED, AlertEventKind.RESOLVED] * len(kinds)
    assert kinds == expected[: len(kinds)]
    fires = any(alert.state == "firing" for alert in rounds.alerts.values())
    assert fires is bool(len(kinds) % 2)
