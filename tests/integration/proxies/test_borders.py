"""What a proxy lets in, and whose words an error is in."""

from __future__ import annotations

import asyncio
import re

import aiohttp
from yarl import URL

from shared.settings.door import IngressSettings
from shared.settings.files import FileSettings
from tests.integration.proxies.conftest import Doors
from tests.servers.proxies import CONFIGURATIONS, ProxyServer

MEBIBYTE = 1_048_576


async def test_an_error_of_a_door_comes_as_the_door_wrote_it(http: aiohttp.ClientSession) -> None:
    refused = {
        "/v1/responses": (400, "invalid_type"),
        "/v1/nothing": (404, "not_found"),
    }
    for path, expected in refused.items():
        async with http.post(path, json={"input": 7}) as answer:
            said = await answer.json()
        assert (answer.status, said["error"]["code"]) == expected
    async with http.get("/v1/models", headers={"Authorization": "Bearer none"}) as answer:
        said = await answer.json()
    assert (answer.status, said["error"]["code"]) == (401, "invalid_api_key")
    assert answer.headers["x-request-id"].startswith("req_")


async def test_what_is_for_those_who_run_it_is_not_let_out(
    http: aiohttp.ClientSession, proxy: ProxyServer
) -> None:
    for path in ("/", "/metrics", "//metrics", "/%6detrics", "/v1/../metrics", "/v1/%2e./metrics"):
        whole = URL(proxy.url + path, encoded=True)  # as it stands
        async with http.get(whole, headers={"X-Forwarded-For": "127.0.0.1"}) as answer:
            said = await answer.json()
        assert (answer.status, said["error"]["code"]) == (404, "not_found")


async def test_a_body_that_is_too_large_is_refused_before_it_has_come(
    http: aiohttp.ClientSession, proxy: ProxyServer
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(
        b"POST /v1/responses HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Authorization: %b\r\nContent-Length: 17000000\r\n\r\n{"
        % http.headers["Authorization"].encode()
    )
    answer = await reader.readuntil(b"}")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b'"code":"request_too_large"' in answer


async def test_a_file_that_no_message_could_be_goes_in_and_out(http: aiohttp.ClientSession) -> None:
    raw = bytes(range(256)) * 80_000
    form = aiohttp.FormData({"purpose": "user_data"})
    form.add_field("file", raw, filename="large.bin")
    async with http.post("/v1/files", data=form) as answer:
        file_id = (await answer.json())["id"]
    async with http.get(f"/v1/files/{file_id}/content") as answer:
        assert await answer.read() == raw


async def test_no_door_is_an_error_like_any_other(
    http: aiohttp.ClientSession, doors: Doors
) -> None:
    for door in doors:
        door.tell_to_end()
        door.close()
    async with http.get("/v1/models") as answer:
        said = await answer.json()
    assert (answer.status, said["error"]["code"]) == (503, "proxy_unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_the_proxy_logs_who_asked_and_under_which_id(
    http: aiohttp.ClientSession, proxy: ProxyServer
) -> None:
    async with http.get("/v1/models", headers={"X-Forwarded-For": "192.0.2.7"}) as answer:
        request_id = answer.headers["x-request-id"]
    while request_id not in proxy.said:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)
    (line,) = [line for line in proxy.said.splitlines() if request_id in line]
    assert line.startswith("127.0.0.1")
    assert "192.0.2.7" not in line


def test_nobody_who_may_wait_is_cut_off_and_no_idle_connection_outlives_the_door_s() -> None:
    door = IngressSettings()
    haproxy = (CONFIGURATIONS / "haproxy.cfg").read_text()
    nginx = (CONFIGURATIONS / "nginx.conf").read_text()
    for text, name in (
        (haproxy, "timeout client"),
        (haproxy, "timeout server"),
        (nginx, "proxy_read_timeout"),
    ):
        assert _number(text, name) > door.wait_limit_seconds
    assert _number(nginx, "keepalive_timeout") < door.idle_timeout_seconds
    assert _number(nginx, "client_body_timeout") > door.body_timeout_seconds
    body, file = re.findall(r"client_max_body_size (\d+)m", nginx)
    assert int(body) * MEBIBYTE == door.body_limit_bytes
    assert int(file) * MEBIBYTE > FileSettings().limit_bytes


def _number(text: str, name: str) -> int:
    (found,) = re.findall(rf"^\s+{name} (\d+)s", text, re.MULTILINE)
    return int(found)
