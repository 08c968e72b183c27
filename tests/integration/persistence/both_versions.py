"""A ledger while a version is rolled out."""

from __future__ import annotations

from dataclasses import dataclass

from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.sweeping import LedgerSweeps

from .door_before import DoorBefore
from .worker_before import WorkerBefore


@dataclass(frozen=True)
class BothVersions:
    """What this version and the one before do on one ledger."""

    ledger: MessageLedger
    claims: ClaimGroup
    sweeps: LedgerSweeps
    door_before: DoorBefore
    worker_before: WorkerBefore
