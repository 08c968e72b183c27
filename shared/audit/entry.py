"""One entry of the audit log, and how it is bound to the one before it."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import msgspec

BEGINNING: Final = "0" * 64
"""What the first entry is bound to."""

LONGEST_TARGET: Final = 255
LONGEST_ACTOR: Final = 128


class Actor(msgspec.Struct, frozen=True):
    """Who acts: the id of an API key, or `user@host` at the command line; and in which role."""

    name: str
    role: str


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did, or was about to do.

    `digest` is SHA-256, in hexadecimal, of all other fields; `previous` is the digest of the entry
    before. So to change or remove an entry unnoticed, all after it must be made anew.
    """

    number: int
    at: datetime
    actor: str
    role: str
    act: str
    target: str
    detail: str
    previous: str
    digest: str = ""

    def sealed(self) -> AuditEntry:
        """The same with the digest that is right for it."""
        return msgspec.structs.replace(self, digest=self._true_digest())

    def is_sealed(self) -> bool:
        """Whether nothing of it was changed."""
        return self.digest == self._true_digest()

    def _true_digest(self) -> str:
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        said = (self.number, at, self.actor, self.role, self.act, self.target, self.detail)
        return sha256(msgspec.json.encode((*said, self.previous))).hexdigest()


ENTRY_FIELDS: Final = AuditEntry.__struct_fields__


def written_detail(detail: dict[str, Any]) -> str:
    """As the ledger keeps and the digest reads it."""
    return msgspec.json.encode(detail, order="sorted").decode()
