"""The Celery task of documents that are posted: the edge between the queue and their intake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from celery import Celery, Task
from celery.exceptions import Reject, SoftTimeLimitExceeded

from indexer.posting.document_intake import DocumentIntake
from shared.queueing.task_names import TaskName
from shared.telemetry.logs import get_logger

PATIENCE_SECONDS: Final = 1_500
"""Below the half hour after which RabbitMQ closes the channel of who holds a message."""
_HARD_LIMIT_SECONDS: Final = 1_560


def register_documents(app: Celery, intakes: Sequence[DocumentIntake]) -> None:
    """Register the task; `intakes` holds the process's own intake while it runs."""

    @app.task(
        name=TaskName.DOCUMENTS.value,
        bind=True,
        ignore_result=True,
        acks_on_failure_or_timeout=False,
        soft_time_limit=PATIENCE_SECONDS,
        time_limit=_HARD_LIMIT_SECONDS,
    )
    async def documents(self: Task[..., str], *_: Any, **__: Any) -> str:
        """Puts documents into the ledger; their arguments are checked as a body over HTTP is.

        Acknowledged when they are committed, or are a dead letter. It may be repeated.
        """
        try:
            return await intakes[0].take(self.request)
        except SoftTimeLimitExceeded:
            get_logger(__name__).warning("documents given back", id=self.request.id)
            raise Reject("the ledger is away", requeue=True) from None
