"""A message that searches a store which is not there is refused, and the place is named."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest

from ingress.named_stores import NamedStores
from ingress.patience import Patience
from shared.accepting.arrival import seen_by
from shared.clock import SystemClock
from shared.errors import InvalidRequest, NotFound
from shared.messages.body import Body, body_digest
from shared.messages.file_search.search_tool import told_search
from shared.messages.requests.create_response import decode_create_response
from shared.surfaces.chat.request import decode_chat_request

NOW = SystemClock().now()


class Found(NamedTuple):
    expires_at: datetime | None


class Shelf:
    """The stores of one tenant."""

    def __init__(self) -> None:
        self.stores = {
            "vs_1": Found(None),
            "vs_2": Found(NOW + timedelta(days=1)),
            "vs_old": Found(NOW - timedelta(days=1)),
        }

    async def find(self, tenant_id: str, collection_id: str, /) -> Found:
        if tenant_id != "ten_1" or collection_id not in self.stores:
            raise NotFound("It is not there.")
        return self.stores[collection_id]


def body(*ids: str, filters: object = None, **fields: Any) -> Body:
    function = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    search = {
        "type": "file_search",
        "vector_store_ids": list(ids),
        "max_num_results": 3,
        "filters": filters,
    }
    return decode_create_response(
        json.dumps({"input": "Hi", "tools": [function, search], **fields}).encode()
    )


def stores(*, are_there: bool = True) -> NamedStores:
    return NamedStores(Shelf() if are_there else None, Patience(2.0), SystemClock())


async def test_stores_that_are_there_are_counted_by_what_may_be_found_in_them() -> None:
    told = await stores().told_bytes(body("vs_1", "vs_2"), tenant_id="ten_1")
    assert told == 3 * 1_600
    none = body("vs_1", tool_choice="none")
    assert await stores().told_bytes(none, tenant_id="ten_1") == 0


@pytest.mark.parametrize(
    ("ids", "tenant", "nth", "words"),
    [
        (("vs_1", "vs_3"), "ten_1", 1, "not here"),
        (("vs_1",), "ten_2", 0, "not here"),
        (("vs_old",), "ten_1", 0, "has expired"),
    ],
)
async def test_a_store_that_is_not_there_is_named_by_its_place(
    ids: tuple[str, ...], tenant: str, nth: int, words: str
) -> None:
    with pytest.raises(NotFound, match=words) as refused:
        await stores().told_bytes(body(*ids), tenant_id=tenant)
    assert refused.value.param == f"tools[1].vector_store_ids[{nth}]"


EQ: dict[str, Any] = {"type": "eq", "key": "kind", "value": "manual"}


@pytest.mark.parametrize(
    ("filters", "param"),
    [
        ({"type": "like", "key": "kind", "value": "m"}, "tools[1].filters.type"),
        ({**EQ, "value": None}, "tools[1].filters.value"),
        ({"type": "and", "filters": [EQ, {"type": "eq"}]}, "tools[1].filters.filters[1].key"),
        ({"type": "gt", "key": "year", "value": "2020"}, "tools[1].filters.value"),
        ({"type": "or", "filters": []}, "tools[1].filters.filters"),
    ],
)
async def test_a_filter_that_is_none_is_named_by_its_place(filters: object, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await stores().told_bytes(body("vs_1", filters=filters), tenant_id="ten_1")
    assert refused.value.param == param
    both = {"type": "and", "filters": [EQ, {"type": "gte", "key": "year", "value": 2020}]}
    assert await stores().told_bytes(body("vs_1", filters=both), tenant_id="ten_1")


def test_a_search_finds_what_the_key_of_its_message_shows() -> None:
    asked = body("vs_1")
    seen = seen_by(asked, ("user:ann",))

    assert seen.file_search is not None
    assert seen.file_search.principals == ("user:ann",)
    assert body_digest(seen) != body_digest(asked)
    assert told_search(seen.file_search) == told_search(asked.file_search or seen.file_search)
    assert seen_by(asked, None) is asked


async def test_without_an_index_there_are_no_stores() -> None:
    with pytest.raises(NotFound, match="vs_1"):
        await stores(are_there=False).told_bytes(body("vs_1"), tenant_id="ten_1")


def test_chat_has_no_search_of_files() -> None:
    asked = {
        "model": "auto",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}],
    }
    with pytest.raises(InvalidRequest, match=r"Only functions are tools here.*file_search") as no:
        decode_chat_request(json.dumps(asked).encode())
    assert no.value.param == "tools[0]"
