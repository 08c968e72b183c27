"""The door: where it listens, what it lets in, and how much."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from shared.settings.units import NotNegative, Port, Positive, PositiveInt, Share

_ORIGIN: Final = re.compile(
    r"https?://[a-z0-9.\-]+(?::\d{1,5})?|https?://\[[0-9a-f:]+\](?::\d{1,5})?"
)
_PUBLIC: Final = re.compile(r"https?://[^\s/?#]+(?:/[^\s/?#]+)*")
LARGEST_BUDGET: Final = 1_000_000_000
"""US dollars for a day."""


class IngressSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One ingress process."""

    host: str = "127.0.0.1"
    """The address it listens on."""
    port: Port = 8080
    """The port it listens on."""
    public_url: str | None = None
    """What callers know the door by, such as https://forebay.example.com: where an answer names an
    address of its own. The host that a request names, when not given."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may ask from a browser, such as https://app.example.com, or `*`; off
    where none is named."""
    body_limit_bytes: PositiveInt = 16_777_216
    """A larger body is refused with 413, images and files in base64 counted."""
    text_limit_bytes: PositiveInt = 1_048_576
    """A body that without its images and files is larger is refused with 413."""
    body_timeout_seconds: Positive = 30.0
    """A body is refused with 408 when it stands still so long, or `text_limit_bytes` of it take
    longer to arrive."""
    head_limit_bytes: PositiveInt = 65_536
    """A larger request line with its headers, all together, is refused with 431."""
    head_timeout_seconds: Positive = 10.0
    """Headers that take longer to arrive are refused with 408; a new connection on which nothing
    was said for so long is closed."""
    idle_timeout_seconds: Positive = 120.0
    """A connection is closed so long after its last answer. Whoever asks again keeps its end
    shorter: a request that meets the closing of its connection is lost on the way."""
    wait_limit_seconds: Positive = 600.0
    """How long a caller may wait on one connection, whatever its deadline."""
    key_cache_seconds: Positive = 10.0
    """How long a door believes what it knows of a key and its plan. Changes are told to all doors
    at once; one that Redis could not tell lets a revoked key in for no longer than this."""
    ledger_timeout_seconds: Positive = 1.0
    """How long a caller waits for the ledger before it is told 503; as long again for each MiB of
    its body."""
    intake: bool = True
    """Whether this process also reads the `intake` queue."""
    console: bool = True
    """Whether this process also serves the console, at `/console`."""
    notice_seconds: NotNegative = 0.0
    """How long it still takes requests when it is asked to stop, while `/readyz` is 503: longer
    than a proxy takes to notice that. Asked once more, it gives no more notice."""
    drain_seconds: Positive = 10.0
    """How long it then finishes what it has in hand."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        if self.public_url is not None and not _PUBLIC.fullmatch(self.public_url):
            yield (
                f"ingress.public_url = '{self.public_url}'. Write scheme and host, and a path "
                "where there is one, without a slash at the end: https://forebay.example.com."
            )
        for origin in self.cors_origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                yield (
                    f"ingress.cors_origins: '{origin}' is no origin. Write scheme, host and port "
                    "alone, such as https://app.example.com, or *."
                )


class LaneSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a message of each lane gets when it does not name a deadline."""

    interactive_deadline_seconds: Positive = 60.0
    """For `service_tier` `priority`."""
    standard_deadline_seconds: Positive = 600.0
    """For `default`, `auto` and none."""
    batch_deadline_seconds: Positive = 86_400.0
    """For `flex`."""
    longest_deadline_seconds: Positive = 604_800.0
    """A deadline further away is refused."""


class LimitSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The plan of a tenant that has none of its own, and how admission behaves."""

    requests_per_minute: PositiveInt = 6_000
    """Messages of a tenant."""
    tokens_per_minute: PositiveInt = 6_000_000
    """Tokens of a tenant, estimated at the door and corrected by real usage."""
    user_requests_per_minute: PositiveInt = 600
    """Messages of one end user of a tenant."""
    user_tokens_per_minute: PositiveInt = 600_000
    """Tokens of one end user of a tenant."""
    max_in_flight: PositiveInt = 10_000
    """Messages of a tenant that are accepted and not ended."""
    daily_budget: Decimal | None = None
    """US dollars that a tenant may spend each day (UTC); no cap when not given."""
    burst_share: Share = 1.0
    """The part of a minute's allowance that may come at once."""
    local_share: Share = 0.1
    """The part of a plan that one ingress process allows by itself while Redis is away."""
    repeat_seconds: Positive = 60.0
    """How long a client that repeats by itself joins the equal message that it sent before."""
    risk_half_life_seconds: Positive = 600.0
    """How soon half of a user's risk is forgotten."""
    lane_load_seconds: Positive = 1.0
    """How often the load of each lane is read from the ledger."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the section, with its fix."""
        amount = self.daily_budget
        if amount is not None and not (amount.is_finite() and 0 <= amount <= LARGEST_BUDGET):
            yield (
                f"limits.daily_budget = {amount}. Set US dollars for a day, 0 to {LARGEST_BUDGET}."
            )
