"""A call that is no message counts against the same limits, and against nothing else."""

from __future__ import annotations

import pytest

from ingress.api.http.errors import NotAdmitted
from ingress.api.metered_calls import MeteredCalls
from shared.messages.tenant import Tenant
from tests.integration.admission.conftest import OpenDoor, OpenReservations, tenant


async def _call(calls: MeteredCalls, owner: Tenant, *, text_bytes: int = 4) -> dict[bytes, bytes]:
    async with calls.admitted(owner, text_bytes=text_bytes) as headers:
        return dict(headers)


async def test_calls_are_requests_of_their_tenant_and_their_text_is_tokens(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    owner = tenant(requests=3, in_flight=1)
    calls = MeteredCalls(open_door(), open_reservations())
    left = [(await _call(calls, owner))[b"x-ratelimit-remaining-requests"] for _ in range(3)]
    assert left == [b"2", b"1", b"0"]
    with pytest.raises(NotAdmitted, match="requests") as refused:
        await _call(calls, owner)
    assert refused.value.refused.status == 429


async def test_a_call_has_a_slot_until_it_is_answered(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    owner = tenant(requests=3, in_flight=1)
    calls = MeteredCalls(open_door(), open_reservations())
    async with calls.admitted(owner, text_bytes=4):
        with pytest.raises(NotAdmitted):
            await _call(calls, owner)
    await _call(calls, owner)


async def test_a_text_above_the_minutes_tokens_is_refused(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    calls = MeteredCalls(open_door(), open_reservations())
    with pytest.raises(NotAdmitted) as refused:
        await _call(calls, tenant(tokens=1_000), text_bytes=8_000)
    assert refused.value.refused.status == 413
