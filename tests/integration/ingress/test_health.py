"""What watches over the door, and what explains it."""

from __future__ import annotations

import re

import aiohttp
import pytest

from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker


@pytest.fixture
async def anonymous(door: RunningDoor) -> aiohttp.ClientSession:
    async with aiohttp.ClientSession(door.url) as session:
        yield session


async def test_alive_and_ready_need_no_key(anonymous: aiohttp.ClientSession) -> None:
    async with anonymous.get("/livez") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "alive"})
    async with anonymous.get("/readyz") as answer:
        assert (answer.status, (await answer.json())["status"]) == (200, "ready")


async def test_the_status_says_what_is_missing(anonymous: aiohttp.ClientSession) -> None:
    async with anonymous.get("/status") as answer:
        told = await answer.json()
    assert (answer.status, told["state"]) == (200, "down")
    assert "workers" in {each["part"] for each in told["findings"]}
    async with anonymous.get("/status", headers={"x-forwarded-for": "192.0.2.7"}) as answer:
        assert answer.status == 401


async def test_metrics_count_requests_by_route_and_never_by_path(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    worker.serve()
    async with http.post("/v1/responses", json={"input": "Hi"}) as answer:
        message_id = (await answer.json())["id"]
    for path in (f"/v1/responses/{message_id}", "/v1/responses/other", "/secret-path"):
        async with http.get(path):
            pass
    async with http.get("/metrics") as answer:
        text = await answer.text()
    assert _count(text, route="/v1/responses", status="200") == 1
    assert _count(text, route="/v1/responses/{response_id}", status="200") == 1
    assert _count(text, route="/v1/responses/{response_id}", status="404") == 1
    assert _count(text, route="unmatched", status="404") == 1
    assert message_id not in text
    assert "secret-path" not in text
    assert 'forebay_accepted_messages_total{lane="standard",surface="responses"} 1.0' in text
    assert 'forebay_ledger_group_messages_sum{operation="accept"} 1.0' in text
    assert 'forebay_ledger_group_duration_seconds_count{operation="accept"} 1.0' in text


async def test_the_documentation_needs_nothing_from_elsewhere(
    anonymous: aiohttp.ClientSession,
) -> None:
    for path in ("/docs", "/docs/docs.js", "/docs/docs.css"):
        async with anonymous.get(path) as answer:
            text = await answer.text()
        assert answer.status == 200
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert not re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?(?:https?:)?//", text)
    async with anonymous.get("/docs/other.js") as answer:
        assert answer.status == 404


async def test_the_document_describes_every_route_and_resolves(
    anonymous: aiohttp.ClientSession,
) -> None:
    async with anonymous.get("/openapi.json") as answer:
        document = await answer.json()
    assert document["openapi"].startswith("3.1")
    assert {
        "/v1/responses",
        "/v1/responses/{response_id}",
        "/v1/responses/{response_id}/cancel",
        "/v1/chat/completions",
        "/v1/models",
        "/v1/models/{model}",
        "/livez",
        "/readyz",
        "/status",
        "/metrics",
        "/docs",
    } <= set(document["paths"])
    schemas = document["components"]["schemas"]
    named = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert named <= set(schemas)
    assert "input" in schemas["CreateResponse"]["properties"]
    assert schemas["CreateResponse"]["additionalProperties"] is False


def _count(text: str, *, route: str, status: str) -> float:
    """How many requests of any method the metrics have counted."""
    wanted = {f'route="{route}"', f'status="{status}"'}
    counts = [line for line in text.splitlines() if line.startswith("forebay_http_requests_total")]
    return sum(float(one.split()[-1]) for one in counts if all(label in one for label in wanted))
