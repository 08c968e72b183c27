"""Batches: how much may be asked for in one body."""

from __future__ import annotations

import msgspec

from shared.settings.units import PositiveInt


class BatchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Batches whose requests come in a body; those in a file are held to the limits of files."""

    body_limit_bytes: PositiveInt = 268_435_456
    """A larger body of POST /v1/messages/batches is refused with 413."""
