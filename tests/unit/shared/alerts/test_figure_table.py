"""Figures are read each by itself."""

from __future__ import annotations

import msgspec

from shared.alerts.deciding import FigureReading
from shared.alerts.figures.figure_table import FigureTable
from shared.alerts.machine import FigureValue
from shared.alerts.rule import AlertRule
from shared.errors import LedgerUnavailable
from shared.settings.watching.alert_rules import AlertFigure

KNOWN = FigureReading([FigureValue({}, 1.0)])


async def known(_window_seconds: float) -> FigureReading:
    return KNOWN


async def away(_window_seconds: float) -> FigureReading:
    raise LedgerUnavailable("The ledger is away.")


async def unreadable(_window_seconds: float) -> FigureReading:
    raise msgspec.ValidationError("Another version wrote this.")


async def test_a_figure_that_cannot_be_read_is_not_known_and_all_others_are() -> None:
    figures = {
        AlertFigure.DEAD_LETTERS: unreadable,
        AlertFigure.ERROR_RATE: away,
        AlertFigure.BREAKER_OPEN: known,
    }
    rules = [AlertRule(name=each.value, figure=each, above=0.0) for each in figures]
    read = await FigureTable(figures).read(rules)
    assert [read[each].knows for each in figures] == [False, False, True]
