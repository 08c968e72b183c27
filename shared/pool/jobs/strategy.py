"""From a message to a job: what Celery's task execution strategy does, on the event loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from celery import Celery, signals
from celery.app import trace
from celery.worker import state as worker_state
from kombu import Message

from shared.messages.dead_letter import Bury, DeadReason
from shared.pool.events import TaskEvents
from shared.pool.graveyard import Attend, Graveyard
from shared.pool.jobs.bundles import Bundles, MayIdle
from shared.pool.jobs.job import Job, LoopRequest
from shared.pool.jobs.slots import JobSlots
from shared.pool.poison import MESSAGE_LIMIT_BYTES, examine, fits_any
from shared.queueing.envelope import BUNDLE_MARK

_state: Any = worker_state  # whose stubs are older than it
_log = logging.getLogger("celery.worker.strategy")


class TaskStrategy:
    """Examines every message before it is trusted, and admits, schedules or rations its task.

    What cannot be run is buried (see Graveyard). A task with an eta waits for it here, one with a
    rate limit for its turn; both stay unacknowledged meanwhile and `on_held` is told how many more
    (or less) there are, so that they do not take the prefetch from the others. `limits_seconds` are
    the soft and the hard limit of tasks and messages that name none.
    """

    def __init__(
        self,
        app: Celery,
        *,
        hostname: str,
        slots: JobSlots,
        limits_seconds: tuple[float | None, float | None],
        graveyard: Graveyard,
        events: TaskEvents,
        buckets: Mapping[str, Any],
        on_held: Callable[[int], None],
        attend: Attend,
        may_others_idle: MayIdle,
    ) -> None:
        self._app = app
        self._tasks = app.tasks
        self._hostname = hostname
        self._slots = slots
        self._soft_limit_seconds, self._hard_limit_seconds = limits_seconds
        self._graveyard = graveyard
        self._events = events
        self._buckets = buckets
        self._on_held = on_held
        self._held: dict[LoopRequest, asyncio.TimerHandle] = {}
        self._bundles = Bundles(
            app, slots=slots, attend=attend, receive=self._examine, may_others_idle=may_others_idle
        )
        self._limit_bytes = getattr(app, "message_limit_bytes", MESSAGE_LIMIT_BYTES)
        self._complaint_about = getattr(app, "complaint_about_arguments", fits_any)

    def on_message(self, message: Message) -> None:
        """Never raises: whatever it stumbles over would end the worker, and the next one."""
        body: object = message.body
        may_be_bundle = isinstance(body, bytes) and BUNDLE_MARK in body
        if not (may_be_bundle and self._bundles.take(message)):
            self._examine(message)

    def _examine(self, message: Message) -> None:
        try:
            verdict = examine(
                message,
                known=self._tasks,
                limit_bytes=self._limit_bytes,
                complaint_about=self._complaint_about,
            )
            if verdict is None:
                self._receive(message)
        except Exception as error:  # noqa: BLE001 - the border of one message
            _log.exception("A message could not be turned into a job")
            self._forget(message)
            verdict = Bury(DeadReason.MALFORMED, f"{type(error).__name__}: {error}")
        if verdict is not None:
            self._graveyard.bury(message, verdict)

    def on_lost(self) -> None:
        """Forget what waits: its messages come again."""
        for timer in self._held.values():
            timer.cancel()
        self._on_held(-len(self._held))
        self._bundles.forget()
        waiting = [*self._held, *(job.request for job in self._slots.forget_waiting())]
        for bucket in self._buckets.values():
            waiting += [request for request, _ in bucket.contents] if bucket else []
            if bucket:
                bucket.clear_pending()
        self._held.clear()
        for request in waiting:
            _state.task_ready(request)

    def _receive(self, message: Message) -> None:
        request = self._request(message)
        if request.revoked():
            return
        if signals.task_received.receivers:
            signals.task_received.send(sender=self, request=request)
        self._tell(request)
        if request.eta is not None:
            self._schedule(request, request.eta)
        elif bucket := self._buckets.get(request.task.name):
            self._ration(request, bucket)
        else:
            self._admit(request)

    def _request(self, message: Message) -> LoopRequest:
        headers: Any = message.headers
        return LoopRequest(
            message,
            on_ack=message.ack_log_error,
            on_reject=message.reject_log_error,
            hostname=self._hostname,
            eventer=self._events,
            app=self._app,
            task=self._tasks[headers["task"]],
            body=message.body,
            headers=headers,
            utc=self._app.uses_utc_timezone(),
        )

    def _tell(self, request: LoopRequest) -> None:
        if _log.isEnabledFor(logging.INFO):
            about = {
                "id": request.id,
                "name": request.name,
                "args": request.argsrepr,
                "kwargs": request.kwargsrepr,
                "eta": request.eta,
            }
            _log.info(trace.LOG_RECEIVED, about, extra={"data": about})
        request.send_event(
            "task-received",
            name=request.name,
            args=request.argsrepr,
            kwargs=request.kwargsrepr,
            root_id=request.root_id,
            parent_id=request.parent_id,
            retries=request.request_dict.get("retries", 0),
            eta=request.eta.isoformat() if request.eta is not None else None,
            expires=request.expires and request.expires.isoformat(),  # type: ignore[truthy-bool]
        )

    def _admit(self, request: LoopRequest) -> None:
        _state.task_reserved(request)
        hard, soft = request.time_limits
        task = request.task
        self._slots.add(
            Job(
                request.type,
                request.id,
                request.request_dict,
                args=request.args,
                kwargs=request.kwargs,
                request=request,
                soft_limit_seconds=soft or task.soft_time_limit or self._soft_limit_seconds,
                hard_limit_seconds=hard or task.time_limit or self._hard_limit_seconds,
                number=Job.next_number(),
            )
        )

    def _schedule(self, request: LoopRequest, eta: datetime) -> None:
        _state.task_scheduled(request)
        self._on_held(1)
        due_in = max(0.0, eta.timestamp() - time.time())
        loop = asyncio.get_running_loop()
        self._held[request] = loop.call_later(due_in, self._on_eta, request)

    def _on_eta(self, request: LoopRequest) -> None:
        del self._held[request]
        self._on_held(-1)
        if bucket := self._buckets.get(request.task.name):
            self._ration(request, bucket)
        else:
            self._admit(request)

    def _ration(self, request: LoopRequest, bucket: Any) -> None:
        bucket.add((request, 1))
        if len(bucket.contents) == 1:
            self._serve(bucket)

    def _serve(self, bucket: Any) -> None:
        """Admit those whose turn it is, oldest first; come again when the next one's is."""
        while bucket.contents:
            if not bucket.can_consume(1):
                wait = bucket.expected_time(1)
                asyncio.get_running_loop().call_later(wait, self._serve, bucket)
                return
            request, _ = bucket.pop()
            self._admit(request)

    def _forget(self, message: Message) -> None:
        headers: Any = message.headers
        request = _state.requests.get(headers["id"]) if isinstance(headers, dict) else None
        if request is not None and request.message is message:
            _state.task_ready(request)
