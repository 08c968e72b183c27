from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import Exchange, RequestHead
from ingress.api.http.request_headers import (
    LONGEST_DEADLINE_SECONDS,
    cache_control,
    deadline,
    idempotency_key,
    require_json,
    wait_preference,
)
from ingress.api.http.wire import Line
from shared.clock import ManualClock
from shared.errors import InvalidRequest

CLOCK = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))


def exchange(**headers: str) -> Exchange:
    lines = {
        name.replace("_", "-").encode(): value.encode("latin-1") for name, value in headers.items()
    }
    line = cast(Line, None)  # nothing is read or written
    return Exchange(line, RequestHead(method="POST", path="/", headers=lines), CLOCK)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        ("0.5", 0.5),
        ("2026-01-01T00:01:00Z", 60),
        ("2026-01-01T01:01:00+01:00", 60),
        ("1e300", LONGEST_DEADLINE_SECONDS),  # whoever takes it says how far is allowed
    ],
)
def test_a_deadline_is_seconds_from_now_or_a_time(text: str, seconds: float) -> None:
    found = deadline(exchange(x_forebay_deadline=text), CLOCK)
    assert found == CLOCK.now() + timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "0", "-3", "inf", "2026-01-01T00:01:00", "tomorrow"])
def test_a_deadline_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        deadline(exchange(x_forebay_deadline=text), CLOCK)
    assert raised.value.param == "X-Forebay-Deadline"


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=10", 10),
        ("respond-async, wait=10", 10),
        ('WAIT = "5"', 5),
        ("handling=lenient; wait=7", 7),
        ("wait=soon", None),
        ("wait=-1", None),
        ("await=10", None),
        ("respond-async", None),
    ],
)
def test_a_preference_to_wait_is_read_and_a_malformed_one_ignored(
    prefer: str, seconds: float | None
) -> None:
    assert wait_preference(exchange(prefer=prefer)) == seconds


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "control\x7f"])
def test_a_key_that_cannot_be_kept_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest):
        idempotency_key(exchange(idempotency_key=key))


def test_a_key_is_optional() -> None:
    assert idempotency_key(exchange()) is None
    assert idempotency_key(exchange(idempotency_key="order-1")) == "order-1"


@pytest.mark.parametrize(
    "kind",
    ["application/json", "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8"'],
)
def test_json_is_taken_however_it_is_spelt(kind: str) -> None:
    require_json(exchange(content_type=kind))


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_other_types_are_refused(kind: str) -> None:
    with pytest.raises(HttpRefusal) as raised:
        require_json(exchange(content_type=kind))
    assert raised.value.status == 415


def test_a_header_for_the_cache_that_makes_no_sense_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidRequest, match="Cache-Control"):
        cache_control(exchange(cache_control="max-age=soon"))
    assert cache_control(exchange()) is None
