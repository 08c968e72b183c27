"""What is wrong is refused with an error that names it; nothing is a 500."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from shared.messages.tenant import KeyScope, Plan
from tests.integration.ingress.bad_bodies import BODIES, CHATS
from tests.integration.ingress.conftest import MakeKey
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker

JSON = {"Content-Type": "application/json"}


REQUESTS: list[tuple[str, str, dict[str, str], int]] = [
    ("GET", "/v1/nothing", {}, 404),
    ("PUT", "/v1/responses", {}, 405),
    ("PATCH", "/v1/responses/resp_1", {}, 405),
    ("POST", "/v1/responses", {"Content-Type": "text/plain"}, 415),
    ("POST", "/v1/responses", {**JSON, "Content-Encoding": "gzip"}, 415),
    ("POST", "/v1/responses", {"Content-Type": "application/json; charset=latin-1"}, 415),
    ("POST", "/v1/responses", {"Authorization": ""}, 401),
    ("POST", "/v1/responses", {"Authorization": "Basic eA=="}, 401),
    ("POST", "/v1/responses", {"Authorization": "Bearer fb_unknown"}, 401),
    ("POST", "/v1/responses", {"Authorization": "Bearer sk-…"}, 401),
    ("POST", "/v1/responses", {"Idempotency-Key": "k" * 256, **JSON}, 400),
    ("GET", "/v1/responses/resp_1?starting_after=x&stream=true", {}, 404),
    ("GET", "/v1/responses/resp_1?foo=1", {}, 400),
    ("GET", "/v1/responses/resp_%00", {}, 404),
    ("GET", "/v1/responses/%FF%FE", {}, 404),
    ("GET", "/v1/models/no/such/model", {}, 404),
]


async def test_every_bad_body_is_refused_by_name(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    told = {}
    for what, (body, _, param) in BODIES.items():
        async with http.post("/v1/responses", data=body, headers=JSON) as answer:
            error = (await answer.json())["error"]
        assert error["message"]
        assert answer.headers["x-request-id"].startswith("req_")
        told[what] = (answer.status, error["code"], param and error["param"])
    assert told == {what: (400, code, param) for what, (_, code, param) in BODIES.items()}
    assert await worker.queued() == []


async def test_every_bad_chat_is_refused_by_name(http: aiohttp.ClientSession) -> None:
    told = {}
    for what, (body, _) in CHATS.items():
        async with http.post("/v1/chat/completions", data=body, headers=JSON) as answer:
            told[what] = (answer.status, (await answer.json())["error"]["param"])
    assert told == {what: (400, param) for what, (_, param) in CHATS.items()}


async def test_a_repeated_field_counts_once_the_last_time(
    http: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    body = b'{"input":"a","input":"b","background":true}'
    async with http.post("/v1/responses", data=body, headers=JSON) as answer:
        assert answer.status == 200
    record = await worker.claim(await worker.next_queued())
    await worker.answer(record, "ok")


async def test_every_bad_request_has_openais_error_object(http: aiohttp.ClientSession) -> None:
    for method, path, headers, status in REQUESTS:
        async with http.request(method, path, headers=headers, data=b'{"input":"x"}') as answer:
            body = await answer.json()
        assert answer.status == status, (method, path, headers, body)
        assert set(body["error"]) == {"message", "type", "code", "param"}
        assert answer.headers["x-request-id"].startswith("req_")
        assert status != 405 or answer.headers["allow"]
        assert status != 401 or answer.headers["www-authenticate"] == "Bearer"


async def test_other_paths_answer_problem_json(http: aiohttp.ClientSession) -> None:
    async with http.get("/nothing") as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["status"], problem["title"]) == (404, 404, "Not Found")
    assert problem["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_above_the_limit_is_refused(
    http: aiohttp.ClientSession, chunked: bool
) -> None:
    body = json.dumps({"input": "x" * 1_100_000}).encode()

    async def pieces() -> object:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    data = pieces() if chunked else body
    async with http.post("/v1/responses", data=data, headers=JSON) as answer:
        error = (await answer.json())["error"]
    assert (answer.status, error["code"]) == (413, "request_too_large")


async def test_a_length_that_lies_costs_nobody_but_the_liar(
    door: RunningDoor, http: aiohttp.ClientSession, key: str
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(door.url.rpartition(":")[2]))
    head = f"POST /v1/responses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
    writer.write(head.encode() + b"Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{}")
    writer.write_eof()
    assert b"500" not in (await reader.read())[:20]
    writer.close()
    async with http.get("/livez") as answer:
        assert answer.status == 200


async def test_a_limit_is_refused_with_its_reason_and_when_to_come_back(
    door: RunningDoor, make_key: MakeKey
) -> None:
    plan = Plan(60, 1_000_000, 60, 1_000_000, 3)
    key = await make_key("small", plan=plan)
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(door.url, headers=headers) as http:
        seen = []
        for _ in range(4):
            body = {"input": "x", "background": True}
            async with http.post("/v1/responses", json=body) as answer:
                seen.append((answer.status, await answer.json()))
                limits = answer.headers
    assert [status for status, _ in seen] == [200, 200, 200, 429]
    error = seen[-1][1]["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "too_many_in_flight")
    assert int(limits["retry-after"]) >= 1
    assert limits["x-ratelimit-limit-requests"] == "60"
    assert "ratelimit-policy" in limits


async def test_a_key_opens_what_its_scope_says(door: RunningDoor, make_key: MakeKey) -> None:
    producer, admin = await make_key(), await make_key(scope=KeyScope.ADMIN)
    for key, status in ((producer, 403), (admin, 200)):
        # As seen through a proxy, where loopback means nothing.
        headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": "203.0.113.7"}
        async with (
            aiohttp.ClientSession(door.url, headers=headers) as http,
            http.get("/metrics") as answer,
        ):
            assert answer.status == status


async def status_of_models(http: aiohttp.ClientSession) -> int:
    async with http.get("/v1/models") as answer:
        return answer.status


async def test_a_revoked_key_stops_working_within_the_cache_time(
    door: RunningDoor, make_key: MakeKey, worker: StandInWorker
) -> None:
    from shared.clock import SystemClock
    from shared.persistence.tenants import TenantRepository

    key = await make_key()
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(door.url, headers=headers) as http:
        async with http.get("/v1/models") as answer:
            assert answer.status == 200
        tenants = TenantRepository(worker.database, SystemClock())
        for record in await tenants.keys():
            await tenants.revoke_key(record.id)
        async with asyncio.timeout(60):
            while await status_of_models(http) != 401:
                pass


async def test_who_still_sends_a_body_that_is_too_large_is_not_cut_off(
    door: RunningDoor, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingress.api.http.protocol._LINGER_SECONDS", 60.0)
    reader, writer = await asyncio.open_connection(*door.url.removeprefix("http://").split(":"))
    writer.write(
        b"POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: 20000000\r\n\r\n" % key.encode()
    )
    writer.write(b"x" * 2_000_000)
    await writer.drain()
    answer = await reader.read()  # raises where the connection was reset
    assert answer.startswith(b"HTTP/1.1 413 ")
    writer.close()
