"""The intake of one process with what it answers and buries through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from ingress.acceptance import Acceptance
from ingress.authentication import Authentication
from ingress.intake.intake import Intake
from ingress.references import References
from shared.queueing.answers.answer_publisher import build_answer_publisher
from shared.queueing.dead_letters.sink import build_dead_letter_sink
from shared.settings import Settings
from shared.telemetry.metrics import Metrics


@asynccontextmanager
async def open_intake(
    settings: Settings,
    acceptance: Acceptance,
    authentication: Authentication,
    references: References,
    metrics: Metrics,
) -> AsyncIterator[Intake]:
    """Reads the queue until the end; a broker that is away is waited for beside it."""
    async with AsyncExitStack() as stack:
        answers = build_answer_publisher(settings.broker)
        await answers.start()
        stack.push_async_callback(answers.close)
        sink = build_dead_letter_sink(settings.broker)
        await sink.start()
        stack.push_async_callback(sink.close)
        intake = Intake(
            settings.broker,
            acceptance,
            authentication,
            references,
            answers,
            sink,
            metrics,
            body_limit_bytes=settings.ingress.body_limit_bytes,
            text_limit_bytes=settings.ingress.text_limit_bytes,
        )
        await intake.start()
        stack.push_async_callback(intake.close)
        yield intake
