"""The documents that this process holds: their leases, and when nothing may be written any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from shared.index.document import Document
from shared.index.documents.claiming import DocumentClaims

RENEWALS_PER_LEASE: Final = 5
"""A few may fail before a lease runs out."""
_Key = tuple[str, str]


class DocumentHolding:
    """Claims documents, renews their leases and knows how long each lasts by its own clock.

    A store's write may take `write_seconds` to arrive, and must not arrive after the lease: who
    has it next may have deleted by then what the late write brings back.
    """

    def __init__(
        self,
        claims: DocumentClaims,
        *,
        worker: str,
        lease_seconds: float,
        write_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._claims = claims
        self._worker = worker
        self._lease_seconds = lease_seconds
        self._write_seconds = write_seconds
        self._monotonic = monotonic
        self._until: dict[_Key, float] = {}
        self._documents: dict[_Key, Document] = {}

    async def claim(self, tenant_id: str, *, limit: int, limit_bytes: int) -> list[Document]:
        """Documents of the tenant that wait, now held; raises LedgerUnavailable."""
        asked_at = self._monotonic()
        claimed = await self._claims.claim(
            self._worker, tenant_id=tenant_id, limit=limit, limit_bytes=limit_bytes
        )
        for each in claimed:
            self._documents[_key(each)] = each
            self._until[_key(each)] = asked_at + self._lease_seconds
        return claimed

    async def renew(self) -> None:
        """Renews all leases in one statement. Raises LedgerUnavailable: they run on then."""
        held = dict(self._documents)
        if not held:
            return
        asked_at = self._monotonic()
        still = await self._claims.renew([*held.values()])
        for key, document in held.items():
            if self._documents.get(key) is document:
                self._until[key] = asked_at + self._lease_seconds if key in still else 0.0

    def may_write(self, document: Document) -> bool:
        """Whether a write that begins now arrives within the lease."""
        left = self._until.get(_key(document), 0.0) - self._monotonic()
        return left >= self._write_seconds

    def holds(self, document: Document) -> bool:
        """Whether nothing has become of it yet."""
        return _key(document) in self._documents

    def settled(self, document: Document) -> None:
        """The ledger knows what became of it."""
        self._documents.pop(_key(document), None)
        self._until.pop(_key(document), None)

    async def give_back(self, documents: Iterable[Document]) -> None:
        """Lets others have at once those of them that are still held. Raises LedgerUnavailable;
        then their leases run out."""
        held = [each for each in documents if self.holds(each)]
        for each in held:
            self.settled(each)
        if held:
            await self._claims.give_back(held)

    async def put_off(self, documents: Iterable[Document], reason: str, seconds: float) -> None:
        """Those that are still held wait so long, uncounted; raises LedgerUnavailable."""
        for each in [one for one in documents if self.holds(one)]:
            self.settled(each)
            await self._claims.put_off(each, reason, seconds=seconds)


def _key(document: Document) -> _Key:
    return document.collection_id, document.id
