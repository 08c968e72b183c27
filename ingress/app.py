"""Builds the door's application: parts and routes meet here, and nowhere else."""

from __future__ import annotations

from ingress.api.cache_operations import cache_operations, erasure_operations
from ingress.api.chat.completions import ChatEndpoint
from ingress.api.conversations.conversations import ConversationEndpoints
from ingress.api.conversations.operations import conversation_operations, input_operations
from ingress.api.conversations.response_input import ResponseInput
from ingress.api.erasures import ErasureEndpoints
from ingress.api.files.operations import file_operations
from ingress.api.health import HealthRoutes
from ingress.api.health_operations import docs_operations, health_operations
from ingress.api.http.border import Border, Routes
from ingress.api.http.cors import Cors
from ingress.api.http.exchange import Receive, Send
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
from shared.clock import Clock, SystemClock
from shared.conversations.history import ConversationRepository
from shared.erasing.erasures import Erasures
from shared.settings import Settings
from shared.telemetry.metrics import Metrics


def build_app(settings: Settings, clock: Clock | None = None) -> Ingress:
    """The door's ASGI application. It connects to nothing before its lifespan begins."""
    return Ingress(DoorRuntime(settings, clock or SystemClock()))


class Ingress(Border):
    """The door's ASGI application, and the way to tell it that it is about to end."""

    def __init__(self, runtime: DoorRuntime) -> None:
        self._runtime = runtime
        origins = runtime.settings.ingress.cors_origins
        super().__init__(
            Routes(_operations(runtime)),
            runtime.metrics,
            runtime.clock,
            cors=Cors(origins) if origins else None,
        )

    @property
    def metrics(self) -> Metrics:
        """Those of this process."""
        return self._runtime.metrics

    def say_goodbye(self) -> None:
        """Answer everybody who still waits: their messages go on, and can be read by their id."""
        self._runtime.door.replies.stop()

    async def live(self, receive: Receive, send: Send) -> None:
        try:
            await receive()
            await self._runtime.open()
            await send({"type": "lifespan.startup.complete"})
            await receive()
        finally:
            await self._runtime.close()
        await send({"type": "lifespan.shutdown.complete"})


def _operations(runtime: DoorRuntime) -> list[Operation]:
    door, docs = runtime.door, Docs()
    health = HealthRoutes(
        door,
        ledger=runtime.ledger_probe.is_well,
        redis=runtime.redis_probe.is_well,
        broker=runtime.broker_is_well,
    )
    erasures = Erasures(runtime.database, runtime.clock)
    history, context = ConversationRepository(runtime.database), runtime.settings.context
    contents = runtime.accepts.contents
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
        *file_operations(runtime.files()),
        *runtime.index.operations(),
        *cache_operations(StoredAnswers(door, runtime.housekeeping)),
        *erasure_operations(ErasureEndpoints(door, erasures)),
        *health_operations(health),
        *docs_operations(docs),
    ]
    docs.describe(operations)
    return operations
