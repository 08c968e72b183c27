"""What is asked at the door, and how it is put to the script."""

from __future__ import annotations

import struct
from enum import StrEnum
from math import ceil
from typing import Final

import msgspec

from ingress.admission.limits import Limits
from shared.costs.budget import NO_BUDGET, BudgetQuestion, Budgets
from shared.messages.lane import Lane
from shared.messages.tenant import Tenant
from shared.redis.scripts import ScriptCall
from shared.reservations.reservations import (
    budget_key,
    idempotency_key_key,
    slots_key,
    tenant_key,
    user_key,
)

DIGEST_BYTES: Final = 16
SLOT_MARGIN_SECONDS: Final = 60.0
"""How long after its deadline a message may hold its slot: time to be closed and settled."""
COMMIT_LEASE_SECONDS: Final = 30.0
"""How long an admitted message holds its slot that is not known to be committed: a door that died
on the way to the commit costs its tenant this long, and not until the deadline."""
IDEMPOTENCY_SECONDS: Final = 86_400
"""How long Redis answers for a used key; the ledger knows it for as long as it keeps the row."""

_message = struct.Struct("<4d").pack


class Sending(StrEnum):
    """What a message's key in Redis is good for."""

    KEYED = "keyed"
    """The caller named it: an equal key leads to the first message, for a day."""
    FIRST = "first"
    """A client that repeats by itself sends it, for the first time: the key is noted."""
    AGAIN = "again"
    """It is sent again: it joins the message that was noted, if that was lately."""


class AdmissionRequest(msgspec.Struct, frozen=True):
    """One message at the door.

    `body_digest` is any hash of the body of 16 bytes or more; `seconds_left` runs until the
    deadline; `estimated_tokens` is what `settle` is told again later. Money under a cap is not
    reserved by them, but by the most that a call of `prompt_bytes` in `prompt_messages` may cost
    with `max_output_tokens`, or without a limit of the caller's.
    """

    message_id: str
    tenant: Tenant
    user: str | None
    lane: Lane
    estimated_tokens: int
    body_digest: bytes
    idempotency_key: str | None
    seconds_left: float
    sending: Sending = Sending.KEYED
    prompt_bytes: int = 0
    prompt_messages: int = 1
    max_output_tokens: int | None = None
    is_message: bool = True
    """Else a call that is answered at once: it waits in no lane and costs no money."""
    owner_id: str | None = None
    """Whose the idempotency key turned out to be, where the message came to nothing by that."""


def longest_lease_seconds(request: AdmissionRequest) -> float:
    """How long a committed message may hold its slot."""
    return max(request.seconds_left, 0.0) + SLOT_MARGIN_SECONDS


def script_call(
    request: AdmissionRequest,
    limits: Limits,
    *,
    expected_wait_seconds: float,
    now: float | None,
    budget: BudgetQuestion = NO_BUDGET,
    repeat_seconds: float = 60.0,
) -> ScriptCall:
    """KEYS and ARGV as admission.lua documents them; `now` None is the server's own clock."""
    tenant_id = request.tenant.id
    keys = [
        tenant_key(tenant_id),
        user_key(tenant_id, request.user),
        slots_key(tenant_id),
        budget_key(tenant_id),
    ]
    if request.idempotency_key is not None:
        keys.append(idempotency_key_key(tenant_id, request.idempotency_key))
    is_keyed = request.sending is Sending.KEYED
    return ScriptCall(
        keys,
        (
            limits.rules,
            "" if now is None else now,
            request.message_id,
            request.body_digest[:DIGEST_BYTES].ljust(DIGEST_BYTES, b"\0"),
            _message(
                request.estimated_tokens,
                min(longest_lease_seconds(request), COMMIT_LEASE_SECONDS),
                expected_wait_seconds,
                request.seconds_left,
            ),
            request.sending.value,
            IDEMPOTENCY_SECONDS if is_keyed else ceil(repeat_seconds),
            *(() if budget is NO_BUDGET else budget.arguments),
        ),
    )


def budget_question(
    request: AdmissionRequest, limits: Limits, budgets: Budgets | None
) -> BudgetQuestion:
    """What is asked about the day's money, where there is a cap on it."""
    if budgets is None or limits.daily_budget is None or not request.is_message:
        return NO_BUDGET
    return budgets.for_message(
        request.tenant.id,
        limits.daily_budget,
        size_bytes=request.prompt_bytes,
        messages=request.prompt_messages,
        max_output_tokens=request.max_output_tokens,
    )
