"""What a turn does with its slot: looks for a stored answer, asks the chain, ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from deploy.replay.day.recorded_day import RecordedAttempt
from deploy.replay.rules.answer_store import AnswerStore
from deploy.replay.world.calls import Calls
from deploy.replay.world.chain import Link, VirtualChain
from deploy.replay.world.sources import Sources
from deploy.replay.world.virtual_message import VirtualMessage
from deploy.replay.world.virtual_time import VirtualTime
from shared.answer_cache.stored_answer import FlightRole
from shared.messages.state import ResponseState
from shared.messages.turn_report import CacheKind
from shared.settings.turn.caching import CachingSettings


class Turns:
    """One turn at a time for each message. `ended` is told of each that is over."""

    def __init__(
        self,
        caching: CachingSettings,
        store: AnswerStore,
        sources: Sources,
        chain: VirtualChain,
        calls: Calls,
        time: VirtualTime,
        *,
        ended: Callable[[VirtualMessage], None],
    ) -> None:
        self._caching = caching
        self._store = store
        self._sources = sources
        self._chain = chain
        self._calls = calls
        self._time = time
        self._ended = ended
        self._followers: defaultdict[tuple[str, str], list[tuple[VirtualMessage, int]]] = (
            defaultdict(list)
        )
        self._leaders: dict[tuple[str, str], str] = {}

    def begin(self, job: VirtualMessage) -> None:
        """It was claimed just now."""
        message, now = job.message, self._time.seconds
        job.unused = list(message.attempts)
        job.hit = None
        if now >= message.deadline:
            self._end(job, ResponseState.FAILED)
        elif not message.attempts and message.hit is None and message.refused is None:
            # Cancelled, or answered by who is no provider: nobody knows more than how long it took.
            over = now + (message.took or 0.0)
            self._time.at(over, self._over, job, job.turn, message.state)
        elif self._may_look(job):
            self._look(job)
        else:
            self._ask_first(job)

    def give_way(self, job: VirtualMessage) -> None:
        """Its slot is wanted: what was called is paid for as far as it came."""
        spent = [each for each in job.message.attempts if each not in job.unused]
        seconds = self._time.seconds - job.claimed_at
        for each in spent[:1]:
            part = min(1.0, seconds / each.latency) if each.latency else 0.0
            job.cost += round((each.cost or 0) * part)
        job.turn += 1
        self._land(job, brought=False)

    def _may_look(self, job: VirtualMessage) -> bool:
        caching, message = self._caching, job.message
        return (
            caching.exact
            and message.key is not None
            and (not caching.tenants or message.tenant in caching.tenants)
        )

    def _look(self, job: VirtualMessage) -> None:
        """For a stored answer, or a flight that brings one."""
        message, now = job.message, self._time.seconds
        place = message.tenant, message.key or ""
        leader = self._leaders.get(place)
        if leader is not None:
            self._store.renew(*place, leader, now)
        owner = message.id if self._caching.single_flight else ""
        found = self._store.look_up(*place, owner, now)
        kind = CacheKind.EXACT
        if found.answer is None and found.role is not FlightRole.FOLLOWS:
            found, kind = self._sources.look_up(message, found, now), CacheKind.SEMANTIC
        if found.answer is not None:
            self._tell(job, kind, found.answer)
        elif found.role is FlightRole.FOLLOWS:
            self._follow(job, place)
        else:
            if found.role is FlightRole.LEADS:
                job.leads, self._leaders[place] = True, message.id
            self._ask_first(job)

    def _follow(self, job: VirtualMessage, place: tuple[str, str]) -> None:
        left = job.message.deadline - self._time.seconds
        self._followers[place].append((job, job.turn))
        patience = self._time.seconds + left * self._caching.flight_wait_share
        self._time.at(patience, self._lose_patience, job, job.turn, place)

    def _lose_patience(self, job: VirtualMessage, turn: int, place: tuple[str, str]) -> None:
        if job.turn == turn and (job, turn) in self._followers.get(place, ()):
            self._followers[place].remove((job, turn))
            self._ask_first(job)

    def _tell(self, job: VirtualMessage, kind: CacheKind, answer: str) -> None:
        """A stored answer ends the turn, as soon as the day's turns without a call ended."""
        job.hit, message = kind, job.message
        job.is_false_hit = self._sources.is_false(message, answer)
        self._time.at(
            self._time.seconds + self._sources.seconds_of_hit(message),
            self._over,
            job,
            job.turn,
            ResponseState.COMPLETED,
        )

    def _ask_first(self, job: VirtualMessage) -> None:
        before = job.message.attempts[0].offset if job.message.attempts else 0.0
        links = self._chain.links(job.message.asked)
        self._time.at(self._time.seconds + before, self._ask, job, job.turn, links, 0, 0)

    def _ask(
        self, job: VirtualMessage, turn: int, links: tuple[Link, ...], place: int, tries: int
    ) -> None:
        """Whoever is next in the chain and may be called."""
        if job.turn != turn:
            return
        now, deadline = self._time.seconds, job.message.deadline
        while place < len(links) and now < deadline:
            link = links[place]
            permit = self._chain.permit(job, link)
            if permit is None:
                place, tries = place + 1, 0
                continue
            call = self._calls.end_of(job, link.provider, link.model, now)
            end = min(now + call.latency, deadline)
            self._time.at(end, self._answered, job, turn, links, place, tries + 1, permit, call)
            return
        self._over(job, turn, ResponseState.FAILED)

    def _answered(
        self,
        job: VirtualMessage,
        turn: int,
        links: tuple[Link, ...],
        place: int,
        tries: int,
        permit: str,
        call: RecordedAttempt,
    ) -> None:
        now, link = self._time.seconds, links[place]
        given = job.message.deadline - now + call.latency
        self._chain.end(link, permit, call, seconds_given=given)
        if job.turn != turn:
            return
        job.cost += call.cost or 0
        job.units += call.units
        job.tokens += call.input_tokens + call.output_tokens
        if call.error is None:
            job.output_tokens = call.output_tokens
            rest = self._sources.seconds_after(job.message)
            self._time.at(now + rest, self._over, job, turn, ResponseState.COMPLETED)
            return
        wait = _wait_on_the_day(job, call)
        if wait is None:
            wait = self._chain.wait_after(link, call, tries=tries)
        elif job.unused[0].provider != link.provider:
            wait = None
        if wait is None:
            place, tries, wait = place + 1, 0, 0.0
        self._time.at(now + wait, self._ask, job, turn, links, place, tries)

    def _over(self, job: VirtualMessage, turn: int, state: ResponseState) -> None:
        if job.turn == turn:
            self._end(job, state)

    def _end(self, job: VirtualMessage, state: ResponseState) -> None:
        job.state = state
        job.turn += 1
        is_good = state is ResponseState.COMPLETED and job.hit is None
        message = job.message
        may_be_kept = is_good and message.key is not None and message.may_be_kept
        if may_be_kept and self._may_look(job):
            self._store.store(message.tenant, message.key or "", message.id, self._time.seconds)
        self._land(job, brought=may_be_kept)
        self._ended(job)

    def _land(self, job: VirtualMessage, *, brought: bool) -> None:
        """Those who followed look again."""
        if not job.leads:
            return
        place, now = (job.message.tenant, job.message.key or ""), self._time.seconds
        job.leads = False
        self._leaders.pop(place, None)
        self._store.renew(*place, job.message.id, now)
        self._store.land(*place, job.message.id, now, brought=brought)
        for follower, turn in self._followers.pop(place, []):
            if follower.turn == turn:
                self._look_again(follower, place)

    def _look_again(self, job: VirtualMessage, place: tuple[str, str]) -> None:
        found = self._store.look_up(*place, job.message.id, self._time.seconds)
        if found.answer is not None:
            self._tell(job, CacheKind.SINGLE_FLIGHT, found.answer)
        elif found.role is FlightRole.FOLLOWS:
            self._follow(job, place)
        else:
            if found.role is FlightRole.LEADS:
                job.leads, self._leaders[place] = True, job.message.id
            self._ask_first(job)


def _wait_on_the_day(job: VirtualMessage, call: RecordedAttempt) -> float | None:
    """Seconds from this call to the message's next one, where both are its own."""
    if not job.unused or not any(call is each for each in job.message.attempts):
        return None
    return max(0.0, job.unused[0].offset - call.offset - call.latency)
