"""Every statement that runs on a timer or per message, and how to run it on a full ledger.

The test that walks this list fails where the product has one that is named here nowhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from shared.clock import Clock
from shared.costs.budget import Budgets
from shared.costs.prices import Prices
from shared.identifiers import key_digest, new_response_id
from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.dead_letters import DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.finding import FindGroup, Sought
from shared.persistence.ledger.lane_load import LaneLoads
from shared.persistence.ledger.late_booking import LateBooking
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.message_states import MessageStates
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.persistence.ledger.rehearsal import Rehearsal
from shared.persistence.ledger.role_leases import RoleLease
from shared.persistence.ledger.settling import SettleGroup
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.ledger.worker_lease import Lease, WorkerLease
from shared.persistence.tenants import TenantRepository
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics

from .conversation_probes import CONVERSATION_PROBES, ConversationProbe
from .erasing_probes import ERASING_PROBES, ErasingProbe, FullDesk
from .feedback_probes import FEEDBACK_PROBES
from .file_probes import FILE_PROBES, FileProbe, FullShelf
from .full_index import FullIndex
from .held_probes import HELD_PROBES
from .index_probes import INDEX_PROBES, IndexProbe
from .outcome_probes import OUTCOME_PROBES
from .rollup_probes import ROLLUP_PROBES
from .schedule_probes import SCHEDULE_PROBES
from .view_probes import VIEW_PROBES
from .webhook_probes import WEBHOOK_PROBES, WebhookProbe

GROUP: Final = 32


@dataclass(frozen=True)
class FullLedger:
    """A filled database, and what the statements are run with."""

    database: Database
    settings: LedgerSettings
    clock: Clock
    redis: Redis

    @cached_property
    def claims(self) -> ClaimGroup:
        return ClaimGroup(self.database, self.clock, worker="worker-2", lease_seconds=15)

    @cached_property
    def worker_lease(self) -> WorkerLease:
        return WorkerLease(self.database, self.clock, worker="worker-2", lease_seconds=15)

    @cached_property
    def ledger(self) -> MessageLedger:
        return MessageLedger(self.database, self.settings, self.clock, Metrics())

    @cached_property
    def sweeps(self) -> LedgerSweeps:
        return LedgerSweeps(self.database, self.settings, self.clock)

    @cached_property
    def tenants(self) -> TenantRepository:
        return TenantRepository(self.database, self.clock)

    def arrivals(self, key: str) -> list[MessageRecord]:
        """New messages under idempotency keys that begin so."""
        now = self.clock.now()
        return [
            MessageRecord(
                id=new_response_id(),
                tenant_id="ten_1",
                lane=Lane.STANDARD,
                body="{}",
                body_digest="d1",
                accepted_at=now,
                deadline=now + timedelta(hours=1),
                idempotency_key=f"{key}{n}",
            )
            for n in range(1, GROUP + 1)
        ]

    def turn(self, **changes: Any) -> MessageRecord:
        """A message of somebody's turn."""
        (record, *_) = self.arrivals("turn")
        return msgspec.structs.replace(record, **changes)

    def ends(self) -> list[Settlement]:
        """Ends of running turns, with what they cost."""
        return [self._end(n) for n in range(1, GROUP + 1)]

    def attempt(self) -> AttemptRecord:
        now = self.clock.now()
        return AttemptRecord(
            provider="p", model="m", started_at=now, latency_seconds=1.0, cost=Decimal(1)
        )

    def _end(self, number: int) -> Settlement:
        return Settlement(
            message_id=f"resp_r{number}",
            tenant_id="ten_1",
            attempt=1,
            state=ResponseState.COMPLETED,
            finished_at=self.clock.now(),
            attempts=(self.attempt(),),
        )


def _ids(prefix: str, first: int = 1) -> list[str]:
    return [f"{prefix}{n}" for n in range(first, first + GROUP)]


def _leases(first: int) -> list[Lease]:
    return [Lease(message_id, 1) for message_id in _ids("resp_r", first)]


def _role(full: FullLedger) -> RoleLease:
    return RoleLease(full.database, full.clock, role="r", holder="h", lease_seconds=5)


async def _repeated_accepts(full: FullLedger) -> object:
    group = AcceptGroup(full.database, wake_after_seconds=15)
    return await group.flush(full.arrivals("new") + full.arrivals("key_resp_e"))


async def _late(full: FullLedger) -> object:
    turn = full.turn(id="resp_e7", attempt=0)
    attempts = [full.attempt()]
    booking = LateBooking(full.database)
    now = full.clock.now()
    return await booking.write(turn, attempts, first_ordinal=2, booked_at=now, variant=None)


async def _let_go(full: FullLedger) -> object:
    lease = WorkerLease(full.database, full.clock, worker="worker-2", lease_seconds=0)
    return await lease.let_go(_leases(300))


Probe = Callable[[FullLedger], Awaitable[object]]


PROBES: Final[dict[str, Probe]] = {
    "AcceptGroup.flush": _repeated_accepts,
    "Budgets.read": lambda full: Budgets(full.database, Prices((), ()), full.clock).read("ten_7"),
    "ClaimGroup.flush": lambda full: full.claims.flush(_ids("resp_q")),
    "ClaimGroup.flush of one": lambda full: full.claims.flush(["resp_q900"]),
    "ClaimGroup.renew": lambda full: full.claims.renew(_leases(100)),
    "ClaimGroup.put_back": lambda full: full.claims.put_back(
        full.turn(id="resp_r300", attempt=1), units=1.0
    ),
    "ClaimGroup.release": lambda full: full.claims.release(_leases(200)[0]),
    "DeadLetterRepository.add": lambda full: DeadLetterRepository(full.database, full.clock).add(
        letter_id="dead_new", reason=DeadReason.INVALID, detail="", message_id="resp_e1"
    ),
    "FindGroup.flush": lambda full: FindGroup(full.database).flush(
        [Sought(message_id, "ten_1") for message_id in _ids("resp_q", 400)]
    ),
    "LaneLoads.latest_calls": lambda full: LaneLoads(full.database, full.clock).latest_calls(
        Lane.BATCH
    ),
    "LaneLoads.lane_loads": lambda full: LaneLoads(full.database, full.clock).lane_loads(),
    "LateBooking.write": _late,
    "LedgerSweeps.due": lambda full: full.sweeps.due(),
    "LedgerSweeps.expire_deadlines": lambda full: full.sweeps.expire_deadlines(),
    "LedgerSweeps.expire_leases": lambda full: full.sweeps.expire_leases(),
    "LedgerSweeps.unsent_answers": lambda full: full.sweeps.unsent_answers(),
    "LedgerSweeps.wake_again": lambda full: full.sweeps.wake_again("resp_q901"),
    "MessageLedger.cancel": lambda full: full.ledger.cancel("resp_q902", tenant_id="ten_1"),
    "MessageLedger.delete": lambda full: full.ledger.delete("resp_e3", tenant_id="ten_1"),
    "MessageLedger.mark_fetched": lambda full: full.ledger.mark_fetched("resp_u1"),
    "MessageLedger.mark_replied": lambda full: full.ledger.mark_replied("resp_g1"),
    "MessageStates.of": lambda full: MessageStates(full.database).of(_ids("resp_q", 300)),
    "Rehearsal.__call__": lambda full: Rehearsal(full.database, full.clock)(),
    "RoleLease.take": lambda full: _role(full).take(),
    "RoleLease.give_back": lambda full: _role(full).give_back(),
    "SettleGroup.flush": lambda full: SettleGroup(full.database).flush(full.ends()),
    "WorkerLease.held": lambda full: full.worker_lease.held(),
    "WorkerLease.let_go": _let_go,
    "TenantRepository.by_key": lambda full: full.tenants.by_key("fb_unknown"),
    "TenantRepository.by_digests": lambda full: full.tenants.by_digests(
        [key_digest(f"fb_{number}") for number in range(100)]
    ),
    "TenantRepository.plan_of": lambda full: full.tenants.plan_of("ten_7"),
}


def _of_files(probe: FileProbe) -> Probe:
    return lambda full: probe(FullShelf(full.database, full.clock))


def _of_conversations(probe: ConversationProbe) -> Probe:
    return lambda full: probe(full.database, full.turn(), full.clock)


def _of_the_index(probe: IndexProbe) -> Probe:
    return lambda full: probe(FullIndex(full.database, full.clock))


def _of_webhooks(probe: WebhookProbe) -> Probe:
    return lambda full: probe(full.database, full.clock)


def _of_erasing(probe: ErasingProbe) -> Probe:
    return lambda full: probe(FullDesk(full.database, full.settings, full.clock, full.redis))


async def postpone(full: FullLedger) -> object:
    """What is due, postponed: apart, since it depends on the statement before it."""
    return await full.sweeps.postpone(await full.sweeps.due())


PROBES["LedgerSweeps.postpone"] = postpone
PROBES.update({name: _of_erasing(probe) for name, probe in ERASING_PROBES.items()})
PROBES.update(HELD_PROBES)
PROBES.update({name: _of_files(probe) for name, probe in FILE_PROBES.items()})
PROBES.update({name: _of_the_index(probe) for name, probe in INDEX_PROBES.items()})
TOLD_AND_BEGUN: Final = (
    WEBHOOK_PROBES
    | SCHEDULE_PROBES
    | VIEW_PROBES
    | FEEDBACK_PROBES
    | ROLLUP_PROBES
    | OUTCOME_PROBES
)
PROBES.update({name: _of_webhooks(probe) for name, probe in TOLD_AND_BEGUN.items()})
PROBES.update({name: _of_conversations(probe) for name, probe in CONVERSATION_PROBES.items()})
