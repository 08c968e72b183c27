from __future__ import annotations

import msgspec
import pytest

from shared.accepting.arrival import Arrival
from shared.errors import InvalidRequest
from shared.messages.body import Body
from shared.messages.lane import Lane
from shared.messages.record import Surface
from shared.messages.stored_body import KeptBody, decode_body
from shared.messages.tenant import Tenant


def arrival(raw: bytes, **more: str) -> Arrival:
    body: Body = decode_body(raw)
    return Arrival(
        tenant=Tenant("ten_1", "acme"),
        body=body,
        kept=KeptBody(raw, len(raw)),
        surface=Surface.RESPONSES,
        **more,
    )


def test_it_queues_where_its_tier_says() -> None:
    assert arrival(b'{"input":"x","service_tier":"flex"}').lane is Lane.BATCH
    with pytest.raises(InvalidRequest):
        _ = arrival(b'{"input":"x","service_tier":"gold"}').lane


def test_a_safety_identifier_names_the_user_before_user_does() -> None:
    assert arrival(b'{"input":"x","user":"a","safety_identifier":"b"}').user == "b"


def test_text_that_only_speaks_of_nul_is_fine() -> None:
    arrival(rb'{"input":"\u0000","user":"u"}').check()
    arrival(msgspec.json.encode({"input": r"\u0000", "user": "u"})).check()


@pytest.mark.parametrize("name", ["idempotency_key", "reply_to", "reply_correlation"])
def test_nul_is_refused_wherever_the_ledger_would_choke_on_it(name: str) -> None:
    with pytest.raises(InvalidRequest):
        arrival(b'{"input":"x"}', **{name: "a\0b"}).check()
