"""Builds the door's application: parts and routes meet here, and nowhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ingress.api.cache_operations import cache_operations, erasure_operations
from ingress.api.chat.completions import ChatEndpoint
from ingress.api.conversations.conversations import ConversationEndpoints
from ingress.api.conversations.operations import conversation_operations, input_operations
from ingress.api.conversations.response_input import ResponseInput
from ingress.api.erasures import ErasureEndpoints
from ingress.api.feedback.endpoints import FeedbackEndpoints
from ingress.api.feedback.following import FeedbackFollowing
from ingress.api.feedback.operations import feedback_operations
from ingress.api.health import HealthRoutes
from ingress.api.health_operations import docs_operations, health_operations
from ingress.api.http.border import Border, Routes
from ingress.api.http.cors import Cors
from ingress.api.messages.messages import MessagesEndpoint
from ingress.api.messages.operations import message_operations
from ingress.api.models import Models
from ingress.api.operations import (
    chat_operations,
    embedding_operations,
    model_operations,
    response_operations,
)
from ingress.api.reference.docs import Docs
from ingress.api.reference.operation import Operation
from ingress.api.responses import Responses
from ingress.api.stored_answers import StoredAnswers
from ingress.api.stored_responses import StoredResponses
from ingress.building import DoorRuntime
from shared.batches.items import BatchItems
from shared.clock import Clock, SystemClock
from shared.conversations.history import ConversationRepository
from shared.erasing.erasures import Erasures
from shared.feedback.book import FeedbackBook
from shared.settings import Settings
from shared.telemetry.metrics import Metrics

# As ASGI has them.
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def build_app(settings: Settings, clock: Clock | None = None) -> Ingress:
    """The door. It connects to nothing before its lifespan begins."""
    return Ingress(DoorRuntime(settings, clock or SystemClock()))


class Ingress(Border):
    """All that the door serves, as uvicorn opens and closes it."""

    def __init__(self, runtime: DoorRuntime) -> None:
        self._runtime = runtime
        self._health = HealthRoutes(
            runtime.door,
            runtime.system_watch(),
            ledger=runtime.ledger_probe.is_well,
            redis=runtime.redis_probe.is_well,
            broker=runtime.broker_is_well,
        )
        origins, console = runtime.settings.ingress.cors_origins, runtime.console
        super().__init__(
            Routes([*_operations(runtime, self._health), *(console.routes() if console else ())]),
            runtime.metrics,
            runtime.clock,
            cors=Cors(origins) if origins else None,
        )

    @property
    def metrics(self) -> Metrics:
        """Those of this process."""
        return self._runtime.metrics

    def give_notice(self) -> None:
        """Say at /readyz that this process ends; everything is served as before."""
        self._health.is_closing = True
        if self._runtime.console is not None:
            self._runtime.console.give_notice()

    def say_goodbye(self) -> None:
        """Answer everybody who still waits: their messages go on, and can be read by their id."""
        self._runtime.door.replies.stop()

    async def __call__(self, _scope: Message, receive: Receive, send: Send) -> None:
        """ASGI's lifespan, the one scope that we are asked for: open at the first message, close
        at the second. Requests come by `serve`."""
        try:
            await receive()
            await self._runtime.open()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        finally:
            await self._runtime.close()
        await send({"type": "lifespan.shutdown.complete"})


def _operations(runtime: DoorRuntime, health: HealthRoutes) -> list[Operation]:
    door, docs = runtime.door, Docs()
    erasures = Erasures(runtime.database, runtime.clock)
    history, context = ConversationRepository(runtime.database), runtime.settings.context
    contents = runtime.accepts.contents
    book = FeedbackBook(runtime.database, runtime.clock)
    following = FeedbackFollowing(door, runtime.housekeeping)
    feedback = FeedbackEndpoints(door, book, BatchItems(runtime.database), following)
    operations = [
        *response_operations(Responses(door), StoredResponses(door)),
        *input_operations(ResponseInput(door, history, contents, context)),
        *conversation_operations(
            ConversationEndpoints(door, runtime.conversations, history, contents, context)
        ),
        *chat_operations(ChatEndpoint(door)),
        *message_operations(MessagesEndpoint(door)),
        *model_operations(Models(door, runtime.settings.providers, runtime.embeddings.models)),
        *embedding_operations(runtime.embeddings),
        *runtime.files.operations(),
        *runtime.index.operations(),
        *feedback_operations(feedback),
        *cache_operations(StoredAnswers(door, runtime.housekeeping, book)),
        *erasure_operations(ErasureEndpoints(door, erasures)),
        *health_operations(health),
        *docs_operations(docs),
    ]
    docs.describe(operations)
    return operations
