"""Where a tenant's reservations lie in Redis.

Every key of a tenant carries the hash tag `{tenant}`, so one script may touch them all on a
cluster too. Users and idempotency keys are hashed: neither is readable in Redis, and neither can
be so long, or so spelt, that it becomes another key.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

ANONYMOUS: Final = "-"
_HASH_BYTES: Final = 12


def tenant_key(tenant_id: str) -> str:
    """The tenant's buckets and what was learned about its answers."""
    return f"forebay:{{{tenant_id}}}:tenant"


def user_key(tenant_id: str, user: str | None) -> str:
    """A user's buckets and record; messages without a user share the anonymous one's."""
    name = ANONYMOUS if user is None else _hashed(user)
    return f"forebay:{{{tenant_id}}}:user:{name}"


def slots_key(tenant_id: str) -> str:
    """The leases of the tenant's messages in flight."""
    return f"forebay:{{{tenant_id}}}:slots"


def budget_key(tenant_id: str) -> str:
    """What the tenant spent today, and what its messages in flight may still cost."""
    return f"forebay:{{{tenant_id}}}:budget"


def idempotency_key_key(tenant_id: str, idempotency_key: str) -> str:
    """The message an idempotency key belongs to."""
    return f"forebay:{{{tenant_id}}}:idempotency:{_hashed(idempotency_key)}"


def _hashed(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).hexdigest()
