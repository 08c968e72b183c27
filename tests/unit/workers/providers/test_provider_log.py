"""What a provider fails by is a line when it changes, and no more than that."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

import pytest

from shared.settings.telemetry import TelemetrySettings
from shared.telemetry.logs import configure_logs
from workers.providers.error_class import ErrorClass
from workers.providers.walking.link import ProviderLog


@pytest.fixture
def lines() -> Iterator[StringIO]:
    written = StringIO()
    configure_logs(TelemetrySettings(), written)
    yield written
    configure_logs(TelemetrySettings())


def told(lines: StringIO) -> list[tuple[str, str | None, str]]:
    said = [json.loads(line) for line in lines.getvalue().splitlines()]
    return [(each["event"], each.get("error_class"), each["before"]) for each in said]


def test_each_change_of_class_is_one_line(lines: StringIO) -> None:
    log = ProviderLog()
    for now, error_class in enumerate([ErrorClass.UNAUTHORISED] * 3 + [ErrorClass.TIMEOUT] * 2):
        log.failed("a", "m", error_class, 401, now=now)
    log.answered("a", "m", now=9.0)
    log.answered("a", "m", now=9.5)
    assert told(lines) == [
        ("provider_fails", "unauthorised", "answers"),
        ("provider_fails", "timeout", "unauthorised"),
        ("provider_answers", None, "timeout"),
    ]


def test_models_are_told_apart(lines: StringIO) -> None:
    log = ProviderLog()
    for provider, model in (("a", "m"), ("a", "n"), ("b", "m")):
        log.failed(provider, model, ErrorClass.CONNECTION, None, now=0.0)
    assert len(told(lines)) == 3


def test_one_that_fails_every_other_time_does_not_fill_the_log(lines: StringIO) -> None:
    log = ProviderLog()
    for now in range(59):
        log.failed("a", "m", ErrorClass.SERVER_ERROR, 503, now=now)
        log.answered("a", "m", now=now)
    assert len(told(lines)) == 2
    log.failed("a", "m", ErrorClass.SERVER_ERROR, 503, now=61.0)
    assert len(told(lines)) == 3
