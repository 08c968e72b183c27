"""The door: where it listens, what it lets in, and how much."""

from __future__ import annotations

import msgspec

from shared.settings.units import Port, Positive, PositiveInt, Share


class IngressSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One ingress process."""

    host: str = "127.0.0.1"
    port: Port = 8080
    body_limit_bytes: PositiveInt = 1_048_576
    wait_limit_seconds: Positive = 600.0
    """How long a caller may wait on one connection, whatever its deadline."""
    key_cache_seconds: Positive = 10.0
    """How long a revoked key may still be let in."""
    intake: bool = True
    """Whether this process also reads the `intake` queue."""
    drain_seconds: Positive = 10.0


class LaneSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a message of each lane gets when it does not name a deadline."""

    interactive_deadline_seconds: Positive = 60.0
    standard_deadline_seconds: Positive = 600.0
    batch_deadline_seconds: Positive = 86_400.0
    longest_deadline_seconds: Positive = 604_800.0


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The plan of a tenant that has none of its own, and how admission behaves."""

    requests_per_minute: PositiveInt = 6_000
    tokens_per_minute: PositiveInt = 6_000_000
    user_requests_per_minute: PositiveInt = 600
    user_tokens_per_minute: PositiveInt = 600_000
    max_in_flight: PositiveInt = 10_000
    burst_share: Share = 1.0
    """The part of a minute's allowance that may come at once."""
    local_share: Share = 0.1
    """The part of a plan that one ingress process allows by itself while Redis is away."""
    risk_half_life_seconds: Positive = 600.0
    lane_load_seconds: Positive = 1.0
    """How often the load of each lane is read from the ledger."""
