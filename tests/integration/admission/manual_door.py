"""The script itself, asked at times that the test chooses."""

from __future__ import annotations

import struct
from dataclasses import replace

from redis import Redis

from ingress.admission.commitments import lease_call
from ingress.admission.limits import Limits, limits_of, plan_of
from ingress.admission.question import AdmissionRequest, longest_lease_seconds, script_call
from ingress.admission.reply import read_reply
from ingress.admission.risk import WEIGHTS
from ingress.admission.verdict import Verdict
from shared.messages.tenant import Tenant
from shared.reservations.account import RecordCount, load_account_script
from shared.reservations.reservations import user_key
from shared.settings.door import LimitSettings

HALF_LIFE_SECONDS = 600.0


class ManualDoor:
    """Decides at `now`, in seconds, which only the test moves."""

    def __init__(self, url: str, *, risk: bool = True, burst_share: float = 1.0) -> None:
        self.redis = Redis.from_url(url)
        self.now = 50_000_000.0
        self._risk = risk
        self._burst_share = burst_share
        self._script = self.redis.register_script(
            load_account_script("shared.reservations", "admission.lua").source
        )
        self._commitments = self.redis.register_script(
            load_account_script("ingress.admission", "commitments.lua").source
        )

    def decide(self, request: AdmissionRequest, *, expected_wait_seconds: float = 0.0) -> Verdict:
        limits = self.limits(request.tenant, named_user=request.user is not None)
        call = script_call(
            request, limits, expected_wait_seconds=expected_wait_seconds, now=self.now
        )
        reply = self._script(keys=list(call.keys), args=list(call.arguments))
        return read_reply(reply, request, limits).verdict

    def commit(self, request: AdmissionRequest) -> None:
        """What the door tells once the message is on disk."""
        leases = {request.message_id: longest_lease_seconds(request)}
        call = lease_call(request.tenant.id, leases, now=self.now)
        self._commitments(keys=list(call.keys), args=list(call.arguments))

    def limits(self, owner: Tenant, *, named_user: bool) -> Limits:
        limits = limits_of(
            plan_of(owner, LimitSettings()),
            named_user=named_user,
            burst_share=self._burst_share,
            half_life_seconds=HALF_LIFE_SECONDS,
        )
        return limits if self._risk else replace(limits, rules=_without_weights(limits.rules))

    def record(self, owner: Tenant, user: str | None) -> list[float]:
        """The counts of a user's record, in the order of RecordCount."""
        packed = self.redis.get(user_key(owner.id, user))
        assert isinstance(packed, bytes)
        return list(struct.unpack_from(f"<{len(RecordCount)}d", packed, 7 * 8))

    def count_next_to_nothing(self, owner: Tenant, user: str | None) -> None:
        """Something is counted of the user from now on, and too little to weigh anything."""
        key = user_key(owner.id, user)
        packed = self.redis.get(key)
        if isinstance(packed, bytes) and not any(self.record(owner, user)):
            counts = struct.pack(f"<{len(RecordCount)}d", *[1e-300] * len(RecordCount))
            self.redis.setrange(key, 7 * 8, counts)


def _without_weights(rules: bytes) -> bytes:
    numbers = list(struct.unpack(f"<{len(rules) // 8}d", rules))
    first = len(numbers) - 3 * len(WEIGHTS)
    numbers[first::3] = [0.0] * len(WEIGHTS)
    return struct.pack(f"<{len(numbers)}d", *numbers)
