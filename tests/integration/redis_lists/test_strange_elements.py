"""A strange element among good ones costs only itself, and what is recorded any kombu can read."""

from __future__ import annotations

import pytest
from redis import Redis

from shared.queueing.reading.delivery import MALFORMED_HEADER
from shared.settings.servers import BrokerSettings
from tests.integration.redis_lists.listener import (
    QUEUE,
    Listen,
    element,
    push,
    restored_by_plain_kombu,
)

ALMOST_JSON = (
    "0x10",
    "NaN",
    "-Infinity",
    "01",
    "1.5",
    "9" * 5000,
    '"\t"',
    '"\\u005f"',
    '"\xff"',
    "[" * 900 + "]" * 900,
    '{"__type__": "datetime", "__value__": "soon"}',
    '"' + "x" * 20_000 + '"',
)
"""What Redis' own decoder of JSON takes for a value, and Python's perhaps not."""


@pytest.mark.parametrize("value", ALMOST_JSON, ids=range(len(ALMOST_JSON)))
def test_one_strange_element_costs_only_itself(
    value: str, lists: Redis, listen: Listen, broker: BrokerSettings
) -> None:
    strange = element("strange", QUEUE, odd="@").replace(b'"@"', value.encode("latin-1"))
    push(lists, "a", "b")
    lists.lpush(QUEUE, strange)
    push(lists, "c", "d")
    listener = listen()
    listener.read(5)
    assert [message.delivery_tag for message in listener.taken if len(message.body) == 1] == [
        "tag-a", "tag-b", "tag-c", "tag-d",
    ]  # fmt: skip
    listener.leave()
    restored = restored_by_plain_kombu(broker, 5)
    assert lists.llen(QUEUE) == lists.hlen("unacked") == 0
    assert {b"a", b"b", b"c", b"d"} < set(restored)


NO_ENVELOPES = (
    b"",
    b"null",
    b'"',
    b"[]",
    b"{}",
    b"\xff",
    b'{"body":"","headers":{"a":1}}',
    element("strange", QUEUE).replace(b"tag-strange", b"tag-\xff"),
)


@pytest.mark.parametrize("strange", NO_ENVELOPES, ids=range(len(NO_ENVELOPES)))
def test_what_is_no_envelope_comes_as_what_it_is(
    strange: bytes, lists: Redis, listen: Listen, broker: BrokerSettings
) -> None:
    push(lists, "a")
    lists.lpush(QUEUE, strange)
    push(lists, "b")
    listener = listen()
    listener.read(3)
    assert [bytes(message.body) for message in listener.taken] == [b"a", strange, b"b"]
    assert MALFORMED_HEADER in listener.taken[1].headers
    listener.leave()
    assert restored_by_plain_kombu(broker, 3) == sorted([b"a", b"b", strange])


def test_a_body_that_cannot_be_decoded_leaves_one_record(lists: Redis, listen: Listen) -> None:
    push(lists, "a")
    lists.lpush(QUEUE, element("odd", QUEUE).replace(b'"base64"', b'"rot13"'))
    listener = listen()
    listener.read(2)
    assert MALFORMED_HEADER in listener.taken[1].headers
    tags = {message.delivery_tag.encode() for message in listener.taken}
    assert set(lists.hkeys("unacked")) == set(lists.zrange("unacked_index", 0, -1)) == tags
