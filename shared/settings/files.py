"""Files, and batches in one body: how large one may be, and all files of a tenant together."""

from __future__ import annotations

import msgspec

from shared.settings.units import PositiveInt


class FileSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Files that tenants upload; they are kept in the ledger's database."""

    limit_bytes: PositiveInt = 209_715_200
    """A larger file is refused with 413."""
    tenant_limit_bytes: PositiveInt = 10_737_418_240
    """What all files of a tenant may take, equal ones counted once; more is refused with 413."""


class BatchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Batches whose requests come in a body; those in a file are held to the limits of files."""

    body_limit_bytes: PositiveInt = 268_435_456
    """A larger body of POST /v1/messages/batches is refused with 413."""
