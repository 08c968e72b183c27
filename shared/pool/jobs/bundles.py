"""Messages that carry several tasks: each is received by itself when its slot comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, Final

from celery import Celery
from kombu import Message

from shared.errors import BrokerUnavailable
from shared.pool.graveyard import Attend
from shared.pool.jobs.slots import JobSlots
from shared.queueing.parcel import Parcel
from shared.queueing.reading.bundle import BundledTask, unbundled
from shared.queueing.reading.consumed_message import ConsumedMessage

SOON_SECONDS: Final = 0.05
"""A task that has no slot by then goes to whoever has one, where nothing else waits for them."""
_COUNT_SECONDS: Final = 5.0

MayIdle = Callable[[str], Awaitable[bool | None]]
"""See `QueueConsumer.may_others_idle`."""
PublishAlone = Callable[[Sequence[Parcel]], Awaitable[None]]


class Bundles:
    """Admits the tasks of bundles to the slots in their order, and gives back what finds none.

    A task of a bundle that waits here takes no slot, is not reserved and has told nobody that it
    was received. While others who read its queue have enough to do (`may_others_idle`), all that
    waits does so in order, here or there. Otherwise what has no slot within 50 ms is published
    again, each by itself, of one bundle every 50 ms: a worker that idles is soon busy, and where
    none idles little is sent twice. Once its queue is no longer read here, all that waits is. So is
    all of a bundle that is redelivered: one of its tasks may be what ended its worker. And so is
    what its task rejects, which can be given back or away by itself.

    They are published by the application's attribute `publish_alone`, a coroutine function that
    takes parcels and returns when the broker has them. A bundle is acknowledged when each of its
    tasks is settled or published: a crash before makes all of it come again. Where they cannot be
    published, what waited is run here. Without the attribute only the first task of a bundle is.
    """

    def __init__(
        self,
        app: Celery,
        *,
        slots: JobSlots,
        attend: Attend,
        receive: Callable[[Message], None],
        may_others_idle: MayIdle,
    ) -> None:
        self._publish: PublishAlone | None = getattr(app, "publish_alone", None)
        self._slots = slots
        self._attend = attend
        self._receive = receive
        self._may_others_idle = may_others_idle
        self._waiting: dict[_Bundle, float] = {}
        self._is_watching = False

    def take(self, message: Message) -> bool:
        """Whether the message is a bundle, and in hand now."""
        tasks = unbundled(message.headers or {}, message.body) if self._publish else []
        if not tasks:
            return False
        bundle = _Bundle(message, tasks, owner=self)
        if bundle.about.get("redelivered"):
            self.give_back(bundle, list(bundle.waiting))
            return True
        for number in list(bundle.waiting):
            self._slots.add_later(partial(self._begin, bundle, number), queue=bundle.queue)
        if bundle.waiting:
            self._waiting[bundle] = monotonic()
            if not self._is_watching:
                self._is_watching = True
                self._attend(self._watch, then=self._on_watched)
        return True

    def forget(self) -> None:
        """None of those in hand is settled any more: they come again."""
        self._waiting.clear()

    def give_back(self, bundle: _Bundle, numbers: Sequence[int]) -> None:
        """Publish some of its tasks again, each by itself."""
        waited = [number for number in numbers if number in bundle.waiting]
        publish, parcels = self._publish, [bundle.take_out(number) for number in numbers]

        def conclude(succeeded: bool) -> None:
            if succeeded:
                bundle.settle(numbers)
                return
            bundle.waiting.update(waited)
            for number in waited:
                self._slots.add_later(partial(self._begin, bundle, number), queue=bundle.queue)

        if publish is not None:
            self._attend(lambda: publish(parcels), then=conclude)

    def _begin(self, bundle: _Bundle, number: int) -> None:
        if number in bundle.waiting:  # else it was published again meanwhile
            message = bundle.begin(number)
            if not bundle.waiting:
                self._waiting.pop(bundle, None)
            self._receive(message)

    async def _watch(self) -> None:
        while self._waiting:
            await asyncio.sleep(SOON_SECONDS)
            with suppress(BrokerUnavailable, TimeoutError):
                async with asyncio.timeout(_COUNT_SECONDS):
                    await self._look(before=monotonic() - SOON_SECONDS)

    async def _look(self, *, before: float) -> None:
        for queue in {bundle.queue for bundle in self._waiting}:
            may_idle = await self._may_others_idle(queue)
            if may_idle is not False:
                late = [each for each, at in self._waiting.items() if at <= before]
                late = [each for each in late if each.queue == queue]
                # The last of them, which would wait longest; all where no more is to be run.
                for bundle in late if may_idle is None else late[-1:]:
                    del self._waiting[bundle]
                    self.give_back(bundle, list(bundle.waiting))

    def _on_watched(self, _: bool) -> None:
        self._is_watching = False


class _Bundle:
    """The source of the messages of its tasks, which are numbered from one."""

    no_ack_consumers = None
    has_dead_letters = True

    def __init__(self, message: Message, tasks: Sequence[BundledTask], *, owner: Bundles) -> None:
        self.about: dict[str, Any] = message.delivery_info or {}
        self.queue = str(self.about.get("routing_key"))
        self.waiting = set(range(1, len(tasks) + 1))
        self._message = message
        self._tasks = tasks
        self._unsettled = set(self.waiting)
        self._owner = owner

    def begin(self, number: int) -> ConsumedMessage:
        """The message of a task that waited."""
        self.waiting.discard(number)
        task, message = self._tasks[number - 1], self._message
        begun = ConsumedMessage(
            self,
            tag=number,
            body=task.body,
            headers=dict(task.headers),
            properties={**(message.properties or {}), "correlation_id": task.id},
            delivery_info={**self.about, "delivery_tag": number},
            content_type=message.content_type,
            content_encoding=message.content_encoding,
        )
        begun._decoded_cache = ([], task.kwargs, {})  # type: ignore[attr-defined]  # not in the stubs
        return begun

    def take_out(self, number: int) -> Parcel:
        """The message of a task, for another reader."""
        self.waiting.discard(number)
        return self._tasks[number - 1].alone(self.queue)

    def basic_ack(self, delivery_tag: Any, multiple: bool = False) -> None:  # noqa: ARG002
        self.settle([delivery_tag])

    def basic_reject(self, delivery_tag: Any, requeue: bool) -> None:  # noqa: ARG002
        self._owner.give_back(self, [delivery_tag])

    def settle(self, numbers: Sequence[int]) -> None:
        """Some have ended here, or were published again."""
        self._unsettled.difference_update(numbers)
        if not self._unsettled and not self._message.acknowledged:
            self._message.ack()
