"""Whatever stands in an address, the console tells the caller what is wrong with it."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from ingress.console.operation import API, ConsoleOperation
from shared.messages.tenant import KeyScope
from tests.integration.console.conftest import LogIn

BEYOND_ALL_TIME: Final = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59")
LISTS: Final = ("/dead_letters", "/handoffs", "/quality/feedback")


def _reading(operations: list[ConsoleOperation]) -> list[str]:
    return [each.path for each in operations if each.method == "GET" and each.path != "/live"]


async def test_no_operation_asks_the_ledger_with_a_nul(
    operations: list[ConsoleOperation], log_in: LogIn
) -> None:
    session = await log_in(KeyScope.ADMIN)
    for each in [one for one in operations if one.path != "/live"]:
        path = API + re.sub("{.*?}", "a%00b", each.path)
        asked = path if "{" in each.path else f"{path}?tenant=a%00b"
        async with session.request(each.method, asked, json={}) as answer:
            assert (answer.status, each.path) == (400, each.path)
            assert "NUL" in (await answer.json())["detail"]


async def test_no_list_begins_at_a_time_that_is_none(
    operations: list[ConsoleOperation], log_in: LogIn
) -> None:
    session = await log_in()
    assert {*LISTS} <= {*_reading(operations)}
    for moment in BEYOND_ALL_TIME:
        for path in LISTS:
            place = quote(f"{moment}~id", safe="")
            async with session.get(f"{API}{path}?before={place}") as answer:
                assert (answer.status, path) == (400, path)
                assert "'before'" in (await answer.json())["detail"]
        for name in ("since", "until"):
            async with session.get(f"{API}/messages?{name}={quote(moment)}") as answer:
                assert answer.status in (200, 400)


async def test_every_page_is_bounded(operations: list[ConsoleOperation], log_in: LogIn) -> None:
    session = await log_in()
    for path in [each for each in _reading(operations) if "{" not in each]:
        for limit in ("0", "-1", "201", "1e3", "9" * 40):
            async with session.get(f"{API}{path}?limit={limit}") as answer:
                assert (answer.status, path, limit) == (400, path, limit)
