"""Every operation of the console asks who it is, whether they may, and which page sent it."""

from __future__ import annotations

import re

import aiohttp

from ingress.console.operation import API, ConsoleOperation
from shared.messages.tenant import KeyScope
from tests.integration.console.conftest import LogIn

ROLES = (KeyScope.READER, KeyScope.OPERATOR, KeyScope.ADMIN)


def _path(operation: ConsoleOperation) -> str:
    return API + re.sub("{.*?}", "some", operation.path)


async def test_every_operation_refuses_who_has_no_session(
    operations: list[ConsoleOperation], stranger: aiohttp.ClientSession
) -> None:
    for each in operations:
        async with stranger.request(each.method, _path(each), json={}) as answer:
            assert (answer.status, each.path) == (401, each.path)
            assert answer.content_type == "application/problem+json"


async def test_every_operation_refuses_each_lower_role(
    operations: list[ConsoleOperation], log_in: LogIn
) -> None:
    for place, role in enumerate(ROLES):
        session = await log_in(role)
        for each in [one for one in operations if ROLES.index(one.role) > place]:
            async with session.request(each.method, _path(each), json={}) as answer:
                assert (answer.status, each.path) == (403, each.path)
                assert f"'{each.role}'" in (await answer.json())["detail"]


async def test_what_acts_takes_more_than_a_reader(operations: list[ConsoleOperation]) -> None:
    acting = [each for each in operations if each.method != "GET" and each.path != "/session"]
    assert all(each.role is not KeyScope.READER for each in acting)


async def test_every_act_refuses_what_another_page_sends(
    operations: list[ConsoleOperation], log_in: LogIn
) -> None:
    session = await log_in(KeyScope.ADMIN)
    strange: list[dict[str, str]] = [
        {"X-Forebay-Csrf": "0" * 64},
        {"X-Forebay-Csrf": ""},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ]
    for each in [one for one in operations if one.method != "GET"]:
        for headers in strange:
            async with session.request(
                each.method, _path(each), json={}, headers=headers
            ) as answer:
                assert (answer.status, each.path, headers) == (403, each.path, headers)
    async with session.get("/console/api/session") as answer:
        assert answer.status == 200, "it is still logged in: none of them has logged it out"
