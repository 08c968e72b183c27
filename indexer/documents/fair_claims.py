"""Claims of documents by turns of their tenants, so that no job of one holds up another's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from indexer.documents.holding import DocumentHolding
from indexer.documents.tenant_shares import TenantShares
from shared.index.document import Document
from shared.index.waiting_tenants import WaitingTenants

DOCUMENT_TOKENS: Final = 32
"""What a document costs beside its tokens: to be read, cut and written takes about as long as to
embed so many. Without it one whose vectors are all known would be free, and its tenant first for
as long as it has such."""
_BYTES_PER_TOKEN: Final = 4


class TenantTurn(NamedTuple):
    """Documents of one tenant, all held, and what they are expected to cost, in tokens."""

    tenant_id: str
    documents: Sequence[Document]
    expected: float


class FairClaims:
    """Gives turns to tenants by what was embedded for each, whatever each has waiting.

    Each indexer shares out its own work: as all of them find the same tenants waiting, what they do
    together is shared as well, and nobody has to be asked.
    """

    def __init__(self, holding: DocumentHolding, tenants: WaitingTenants) -> None:
        self._holding = holding
        self._tenants = tenants
        self._shares = TenantShares()
        self._choosing = asyncio.Lock()

    async def begin(self, *, limit: int, limit_bytes: int) -> TenantTurn | None:
        """The next turn; None where nothing waits. Raises LedgerUnavailable."""
        async with self._choosing:
            self._shares.look(await self._tenants.with_documents())
            for tenant_id in self._shares.order():
                documents = await self._holding.claim(
                    tenant_id, limit=limit, limit_bytes=limit_bytes
                )
                if documents:
                    size = sum(each.size_bytes for each in documents)
                    expected = _units(documents, size / _BYTES_PER_TOKEN)
                    self._shares.begin(tenant_id, expected)
                    return TenantTurn(tenant_id, documents, expected)
        return None

    def settle(self, turn: TenantTurn, *, tokens: int) -> None:
        """It is over, and so many were embedded in it."""
        units = _units(turn.documents, tokens)
        self._shares.settle(turn.tenant_id, expected=turn.expected, units=units)


def _units(documents: Sequence[Document], tokens: float) -> float:
    return len(documents) * DOCUMENT_TOKENS + tokens
