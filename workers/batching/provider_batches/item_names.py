"""What an item of a provider's batch is called there: its message, the claim it is under, a check.

A result that names something else was not asked for in this batch, and settles and costs nothing.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from shared.persistence.ledger.worker_lease import Lease

_LONGEST: Final = 64
"""As Anthropic takes them; letters, digits, `_` and `-`."""


def item_name(batch_id: str, lease: Lease) -> str:
    """The `custom_id` of a message in that batch."""
    return f"{lease.message_id}-{lease.attempt}-{_check(batch_id, lease)}"


def lease_in(batch_id: str, name: str) -> Lease | None:
    """Which message, and which claim of it, a result of that batch is for; None for nobody's."""
    if len(name) > _LONGEST or not name.isascii():
        return None
    message_id, _, rest = name.rpartition("-")
    message_id, _, attempt = message_id.rpartition("-")
    if not attempt.isdecimal():
        return None
    lease = Lease(message_id, int(attempt))
    return lease if rest == _check(batch_id, lease) else None


def _check(batch_id: str, lease: Lease) -> str:
    told = f"{batch_id} {lease.message_id} {lease.attempt}".encode()
    return blake2b(told, digest_size=6).hexdigest()
