"""A file: a tenant's name for some content, and what it is for."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

LONGEST_FILENAME: Final = 255
BATCH_LIFE: Final = timedelta(days=30)
"""OpenAI's default for what is uploaded as a batch; everything else stays until it is deleted."""


class FilePurpose(StrEnum):
    """What a file is for, in the words of OpenAI's contract."""

    ASSISTANTS = "assistants"
    BATCH = "batch"
    BATCH_OUTPUT = "batch_output"
    EVALS = "evals"
    FINE_TUNE = "fine-tune"
    USER_DATA = "user_data"
    VISION = "vision"

    @property
    def is_uploaded(self) -> bool:
        """Whether callers make such files; others are made for them."""
        return self is not FilePurpose.BATCH_OUTPUT


class FileLabel(msgspec.Struct, frozen=True):
    """What whoever uploads a file says of it."""

    filename: str
    purpose: FilePurpose
    life: timedelta | None = None
    """How long it is kept; None for as long as its purpose says."""

    def expires_at(self, created_at: datetime) -> datetime | None:
        """When a file that is made now ends; None for never."""
        life = self.life or (BATCH_LIFE if self.purpose is FilePurpose.BATCH else None)
        return None if life is None else created_at + life


class StoredFile(msgspec.Struct, frozen=True):
    """One file as the ledger knows it."""

    id: str
    content_id: str
    filename: str
    purpose: FilePurpose
    bytes: int
    created_at: datetime
    expires_at: datetime | None
