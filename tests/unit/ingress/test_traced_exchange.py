"""What a request's span says of how it was answered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from ingress.api.http.exchange import Exchange
from ingress.api.http.traced_exchange import in_span
from ingress.api.http.wire import Disconnected
from shared.errors import ForebayError, InvalidRequest, LedgerUnavailable
from shared.telemetry.tracing import SilentSpan, SilentTracing, Span


class NotedSpan(SilentSpan):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}
        self.failed: list[str] = []

    def set_attribute(self, key: str, value: Any) -> None:
        self.told[key] = value

    def fail(self, error_type: str) -> None:
        self.failed.append(error_type)


class NotedRequest(SilentTracing):
    """Opens one span."""

    def __init__(self) -> None:
        self.noted = NotedSpan()

    def span(self, *_: Any, **__: Any) -> Any:
        return self.noted


async def told_of(ending: Exception | int) -> tuple[Span, Any]:
    """The span of a request that ended so, and what was raised."""
    tracing = NotedRequest()
    exchange = cast(Exchange, SimpleNamespace(method="POST", route="/v1/responses", status=None))

    async def work(asked: Exchange) -> None:
        if isinstance(ending, Exception):
            raise ending
        asked.status = ending

    raised: Exception | None = None
    try:
        await in_span(tracing, exchange, work, parent=None)
    except (ForebayError, Disconnected) as error:
        raised = error
    return tracing.noted, raised


@pytest.mark.parametrize(
    ("ending", "status", "error_type", "failed"),
    [
        (200, 200, None, []),
        (InvalidRequest("no", param="input", kind="odd"), 400, "odd", []),
        (Disconnected(), 499, None, []),
        (LedgerUnavailable("away"), 503, None, ["ledger_unavailable"]),
    ],
)
async def test_only_a_fault_of_ours_makes_it_one_of_error(
    ending: Exception | int, status: int, error_type: str | None, failed: list[str]
) -> None:
    span, raised = await told_of(ending)
    assert isinstance(span, NotedSpan)
    assert span.told["http.response.status_code"] == status
    assert span.told.get("error.type") == error_type
    assert span.failed == failed
    assert raised is (ending if isinstance(ending, Exception) else None)
