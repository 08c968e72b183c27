"""Admission: one verdict for one message."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
from redis.asyncio import Redis

from ingress.admission.backpressure import LaneCredits, LaneWatch
from ingress.admission.commitments import Commitments
from ingress.admission.flow_waits import FlowWaits
from ingress.admission.limits import Limits, limits_of, plan_of_settings
from ingress.admission.local_allowance import LocalAllowance
from ingress.admission.question import AdmissionRequest, budget_question, script_call
from ingress.admission.reply import (
    AdmissionReply,
    ScriptReply,
    read_reply,
    spending_unknown,
    too_large,
)
from ingress.admission.returns import Returns
from ingress.admission.told_verdict import Observation, RequestCounts
from ingress.admission.verdict import Admitted, Verdict
from shared.accepting.ledger_entry import DEFAULT_OUTPUT_TOKENS
from shared.clock import Clock
from shared.costs.budget import Budgets
from shared.dispatch.flows import FlowBoard
from shared.errors import LedgerUnavailable, RedisUnavailable, Unavailable
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import LuaScript, ScriptCall
from shared.reservations.account import load_account_script
from shared.reservations.reservations import Reservations
from shared.resilience.group_commit import GroupCommit
from shared.settings.door import LimitSettings
from shared.telemetry.metrics import Metrics

_Asked = tuple[AdmissionRequest, Limits]


class Admission:
    """Decides by one script in Redis, so that limits hold across any number of doors.

    Verdicts that are wanted at the same time share a round trip. A Redis that does not answer in
    time is done without: a local allowance decides until it is back. There is always a verdict,
    and nothing is raised.
    """

    def __init__(
        self,
        redis: Redis,
        settings: LimitSettings,
        clock: Clock,
        metrics: Metrics,
        *,
        lanes: LaneWatch | None = None,
        budgets: Budgets | None = None,
        counts: RequestCounts | None = None,
    ) -> None:
        self._redis = GuardedRedis(redis, clock, on_close=self._redis_is_back)
        self._settings = settings
        self._usual_plan = plan_of_settings(settings)
        self._lanes = lanes
        self._flows = FlowWaits(FlowBoard(self._redis), clock)
        self._credits = LaneCredits()
        self._budgets = budgets
        self._observation = Observation(metrics, clock, counts)
        self._script: LuaScript = load_account_script("shared.reservations", "admission.lua")
        self._group: GroupCommit[_Asked, AdmissionReply] = GroupCommit(self._ask_all)
        self._reservations = Reservations(
            redis, clock, risk_half_life_seconds=settings.risk_half_life_seconds
        )
        self._local = LocalAllowance(clock, share=settings.local_share)
        self._p90_output_tokens: dict[str, int] = {}
        self._returns = Returns(self._reservations)
        self._commitments = Commitments(self._redis)
        self._undecided: set[str] = set()
        self._abandoned: set[str] = set()

    async def decide(self, request: AdmissionRequest) -> Verdict:
        """The verdict; what is admitted is reserved until `settle` or `give_back`."""
        began = self._observation.begin()
        limits = self._limits(request)
        verdict: Verdict | None = too_large(request, limits)
        if verdict is None:
            verdict = await self._ask(request, limits)
        self._observation.end(began, verdict, request)
        return verdict

    def committed(self, request: AdmissionRequest) -> None:
        """What was admitted is on disk: its slot is kept until `settle`, or a minute after its
        deadline. Not waited for."""
        self._commitments.note(request)
        self._observation.committed(request)

    async def give_back(
        self, request: AdmissionRequest, *, owner_id: str | None = None, held: bool = False
    ) -> None:
        """Undo an admission that came to nothing: limits, slot, idempotency key, and the credit
        of one that was not `held`.

        Where the key is another message's, `owner_id`, that is what Redis answers from now on.
        """
        self._count(request, -1)
        if not held:
            self._credits.put_back(request)
        request = msgspec.structs.replace(request, owner_id=owner_id)
        if self._redis.is_away():
            self._returns.owe(request)
        else:
            await self._returns.give_back(request)

    def p90_output_tokens(self, tenant_id: str) -> int:
        """What nine in ten of the tenant's answers stay below, as last heard from Redis."""
        return self._p90_output_tokens.get(tenant_id, DEFAULT_OUTPUT_TOKENS)

    async def close(self) -> None:
        """Answer what waits, then refuse what comes after."""
        await self._group.close()
        await self._commitments.close()
        await self._redis.close()
        await self._returns.close()
        await self._reservations.close()
        if self._budgets is not None:
            await self._budgets.close()

    async def _ask(self, request: AdmissionRequest, limits: Limits) -> Verdict:
        if self._redis.is_away():
            return self._decide_locally(request)
        if self._wait(request) > request.seconds_left:
            await self._flows.look(request)
        try:
            answer = await self._submit(request, limits)
            if answer.verdict is None and self._budgets is not None:
                await self._budgets.read(request.tenant.id)
                answer = await self._submit(request, limits)
        except LedgerUnavailable:
            return spending_unknown()
        except Unavailable:
            self._undecided.discard(request.message_id)
            return self._decide_without_redis(request)
        if answer.p90_output_tokens is not None:
            self._p90_output_tokens[request.tenant.id] = answer.p90_output_tokens
        return answer.verdict or spending_unknown()

    async def _submit(self, request: AdmissionRequest, limits: Limits) -> AdmissionReply:
        self._undecided.add(request.message_id)
        try:
            return await self._group.submit((request, limits))
        except asyncio.CancelledError:
            self._abandon(request)
            raise

    async def _ask_all(self, asked: list[_Asked]) -> Sequence[AdmissionReply | BaseException]:
        runs = [(self._script, self._call(request, limits)) for request, limits in asked]
        runs += self._credits.asking([request for request, _ in asked])
        replies = await self._redis.run_each(runs)
        if replies is None:
            for request, _ in asked:
                self._conclude(request, admitted=False)
            raise RedisUnavailable("Redis is away.")
        self._observation.group(len(asked))
        self._credits.take_in(replies[len(asked) :])
        return [
            self._answer(reply, request, limits)
            for reply, (request, limits) in zip(replies, asked, strict=False)
        ]

    def _answer(
        self, reply: ScriptReply | RedisUnavailable, request: AdmissionRequest, limits: Limits
    ) -> AdmissionReply | BaseException:
        if isinstance(reply, RedisUnavailable):
            self._conclude(request, admitted=False)
            return reply
        answer = read_reply(reply, request, limits)
        is_wanted = request.message_id not in self._abandoned
        self._conclude(request, admitted=isinstance(answer.verdict, Admitted))
        return self._credits.spend(request, answer) if is_wanted else answer

    def _conclude(self, request: AdmissionRequest, *, admitted: bool) -> None:
        self._undecided.discard(request.message_id)
        if not admitted:
            self._count(request, -1)
        if request.message_id in self._abandoned:
            self._abandoned.discard(request.message_id)
            if admitted:
                self._count(request, -1)
                self._returns.give_back_soon(request)

    def _abandon(self, request: AdmissionRequest) -> None:
        """Whoever asked has gone; what is on its way to Redis will be decided all the same."""
        if request.message_id in self._undecided:
            self._abandoned.add(request.message_id)
        else:
            self._count(request, -1)
            self._returns.give_back_soon(request)

    def _call(self, request: AdmissionRequest, limits: Limits) -> ScriptCall:
        wait = self._wait(request)
        # Counted before the verdict, so that a group does not fill a lane unseen.
        self._count(request, 1)
        return script_call(
            request,
            limits,
            expected_wait_seconds=wait,
            now=None,
            budget=budget_question(request, limits, self._budgets),
            repeat_seconds=self._settings.repeat_seconds,
        )

    def _wait(self, request: AdmissionRequest) -> float:
        if self._lanes is None or not request.is_message:
            return 0.0
        wait = self._lanes.expected_wait_seconds(request.lane)
        if wait <= request.seconds_left:
            return wait
        return self._flows.expected_seconds(request, of_lane=wait)

    def _count(self, request: AdmissionRequest, change: int) -> None:
        if self._lanes is not None and request.is_message:
            self._lanes.count(request.lane, change)

    def _decide_without_redis(self, request: AdmissionRequest) -> Verdict:
        """A verdict where Redis may have admitted the message without our hearing of it."""
        verdict = self._decide_locally(request)
        if not isinstance(verdict, Admitted):
            self._returns.owe(request)
        return verdict

    def _decide_locally(self, request: AdmissionRequest) -> Verdict:
        plan = request.tenant.plan or self._usual_plan
        verdict = self._local.decide(request, plan, expected_wait_seconds=self._wait(request))
        if isinstance(verdict, Admitted):
            self._count(request, 1)
        self._observation.local(verdict)
        return verdict

    def _limits(self, request: AdmissionRequest) -> Limits:
        return limits_of(
            request.tenant.plan or self._usual_plan,
            named_user=request.user is not None,
            burst_share=self._settings.burst_share,
            half_life_seconds=self._settings.risk_half_life_seconds,
        )

    def _redis_is_back(self) -> None:
        self._local.forget()
        self._returns.pay()
