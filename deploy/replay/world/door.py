"""The door: lets a message in or refuses it, and says whether it waits for the dispatcher."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from deploy.replay.day.recorded_day import RecordedDay, RecordedMessage
from deploy.replay.rules.admission_rules import AdmissionRules
from deploy.replay.rules.asked import Asked, SettledUsage
from deploy.replay.rules.credit_rules import CreditRules
from deploy.replay.rules.tenant_limits import RATES, REASONS, TenantLimits
from deploy.replay.world.lane_figures import LaneFigures
from deploy.replay.world.virtual_message import VirtualMessage
from deploy.replay.world.virtual_time import VirtualTime
from ingress.admission.backpressure import LaneWatch
from ingress.admission.limits import Limits
from ingress.admission.question import COMMIT_LEASE_SECONDS, SLOT_MARGIN_SECONDS
from shared.costs.price import nano_dollars
from shared.costs.prices import Prices
from shared.reservations.reservations import token_correction
from shared.settings import Settings
from shared.telemetry.metrics import Metrics


class VirtualDoor:
    """One door for all: it decides by the rules of the script, and by the real watch of lanes."""

    def __init__(
        self,
        settings: Settings,
        day: RecordedDay,
        credits_: CreditRules,
        lanes: LaneFigures,
        time: VirtualTime,
        *,
        wait_of: Callable[[VirtualMessage], float | None],
    ) -> None:
        self._limits = TenantLimits(settings.limits, day.plans)
        self._past = None if day.limits is None else TenantLimits(day.limits, day.plans)
        self._prices = Prices(settings.costs.prices, settings.providers)
        self._most = lru_cache(4096)(self._most_cost)
        self._credits = credits_
        self._time = time
        self._wait_of = wait_of
        self._rules = AdmissionRules()
        seconds = settings.limits.lane_load_seconds
        self._watch = LaneWatch(lanes.loads, time, Metrics(), interval_seconds=seconds)
        self._watch_seconds = seconds

    def look(self) -> None:
        """Read how the lanes stand, again and again."""
        looking = self._watch.sample()
        try:
            looking.send(None)
        except StopIteration:
            self._time.at(self._time.seconds + self._watch_seconds, self.look)
        else:
            raise RuntimeError("to read lanes of replay waits for nothing")

    def lets_in(self, job: VirtualMessage) -> bool:
        """Whether it is accepted; `job.held` says how."""
        message, now = job.message, self._time.seconds
        limits = self._limits.of(message.tenant, named_user=message.user is not None)
        is_known = self._knows_rates(message, limits)
        if is_known and message.refused in RATES:
            job.refused_by = message.refused
            return False
        left = message.deadline - message.at
        budget = limits.daily_budget
        job.asked = asked = Asked(
            message.tenant,
            message.user,
            message.id,
            message.digest,
            message.estimated_tokens,
            min(max(left, 0.0) + SLOT_MARGIN_SECONDS, COMMIT_LEASE_SECONDS),
            self._expected_wait(job, left),
            left,
            None if budget is None else nano_dollars(budget),
            0 if budget is None else self._most(message.prompt_bytes, message.max_output_tokens),
        )
        told = self._rules.decide(asked, limits, now, rates=not is_known)
        if told.refused_by:
            job.refused_by = REASONS[told.refused_by - 1]
            return False
        self._watch.count(message.lane, 1)
        self._rules.committed(
            message.tenant, message.id, now + max(left, 0.0) + SLOT_MARGIN_SECONDS
        )
        job.held = self._credits.take(message.lane, 1, now) == 0
        return True

    def settle(self, job: VirtualMessage) -> None:
        """It has ended: free its slot and correct what it was thought to take."""
        message = job.message
        more = token_correction(reserved=message.estimated_tokens, used=job.tokens)
        usage = SettledUsage(more, job.output_tokens, job.cost)
        self._rules.settle(message.tenant, message.user, message.id, usage, self._time.seconds)

    def _knows_rates(self, message: RecordedMessage, limits: Limits) -> bool:
        """Whether the day went by the same limits: whom those by the minute refuse hangs on who
        came and on nothing else, and of the refused nobody kept who they were."""
        if self._past is None:
            return False
        return limits == self._past.of(message.tenant, named_user=message.user is not None)

    def _expected_wait(self, job: VirtualMessage, left: float) -> float:
        wait = self._watch.expected_wait_seconds(job.message.lane)
        if wait > left:
            own = self._wait_of(job)
            return wait if own is None else own
        return wait

    def _most_cost(self, size_bytes: int, max_output_tokens: int | None) -> int:
        dearest = self._prices.dearest(
            size_bytes=size_bytes,
            messages=1,
            max_output_tokens=max_output_tokens,
            at=self._time.now(),
        )
        return nano_dollars(dearest)
