"""Taking documents off the `index` queue: the same checks as over HTTP, an answer to who waits."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from celery.app.task import Context
from celery.exceptions import SoftTimeLimitExceeded

from indexer.posting.document_writing import DocumentWriting
from indexer.posting.queued_documents import arguments_of, authorization_of, delivery_of_task
from shared.accepting.document_object import DocumentList, document_object
from shared.accepting.reply_address import ReplyAddress, reply_address
from shared.errors import Forbidden, ForebayError, TooLarge, Unauthenticated, Unavailable
from shared.index.document import Document
from shared.messages.dead_letter import Bury, DeadReason
from shared.queueing.answers.answer_publisher import AnswerPublisher
from shared.queueing.answers.answers import QueuedAnswer, error_answer, response_answer
from shared.queueing.dead_letters.letter import letter_about
from shared.queueing.dead_letters.sink import DeadLetterSink
from shared.queueing.reading.patience import until_available
from shared.queueing.topology import QueueName
from shared.settings.servers import BrokerSettings
from shared.telemetry.logs import get_logger

_log = get_logger(__name__)


class RefusedDocuments(msgspec.Struct, frozen=True):
    """Why a message is a dead letter, and which of its fields is at fault."""

    reason: DeadReason
    detail: str
    param: str | None = None


class DocumentIntake:
    """Takes a message of documents: committed when this returns, or buried with its reason.

    While the ledger is away it waits, message in hand. One that comes twice changes nothing.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        writing: DocumentWriting,
        answers: AnswerPublisher,
        sink: DeadLetterSink,
        *,
        wake: Callable[[str], None],
    ) -> None:
        self._broker = broker
        self._writing = writing
        self._answers = answers
        self._sink = sink
        self._wake = wake

    async def take(self, request: Context) -> str:
        """What became of it, for Flower."""
        delivery = delivery_of_task(request)
        reply = reply_address(delivery, self._broker)
        outcome = await self._outcome(request, authorization_of(delivery.headers))
        if isinstance(outcome, list):
            self._wake(outcome[0].collection_id)
            await self._answer(_told(outcome, reply))
            return f"{len(outcome)} documents"
        verdict = Bury(outcome.reason, outcome.detail)
        await self._answer(_told(outcome, reply))
        letter = letter_about(delivery, verdict, queue=QueueName.INDEX.value)
        await until_available(lambda: self._sink.bury(letter))
        return verdict.reason.value

    async def _outcome(
        self, request: Context, authorization: str | None
    ) -> list[Document] | RefusedDocuments:
        raw = arguments_of(request)
        if isinstance(raw, Bury):
            return RefusedDocuments(raw.reason, raw.detail)
        try:
            return await until_available(lambda: self._writing.write(authorization, raw))
        except ForebayError as error:
            return RefusedDocuments(_reason(error), error.message, getattr(error, "param", None))
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001
            # The edge of one message: what we did not foresee in it must not come for ever.
            _log.exception("documents not taken")
            return RefusedDocuments(DeadReason.FAULT, f"A fault of ours: {type(error).__name__}.")

    async def _answer(self, answer: QueuedAnswer | None) -> None:
        if answer is None:
            return
        try:
            await self._answers.send(answer)
        except Unavailable as error:
            _log.warning("answer not sent", error=error.message)


def _reason(error: ForebayError) -> DeadReason:
    match error:
        case Unauthenticated() | Forbidden():
            return DeadReason.UNAUTHENTICATED
        case TooLarge():
            return DeadReason.TOO_LARGE
        case _:
            return DeadReason.INVALID


def _told(
    outcome: list[Document] | RefusedDocuments, reply: ReplyAddress | None
) -> QueuedAnswer | None:
    if reply is None:
        return None
    if isinstance(outcome, RefusedDocuments):
        return error_answer(
            outcome.reason.value,
            outcome.detail,
            param=outcome.param,
            reply_to=reply.queue,
            correlation_id=reply.correlation_id,
            shape=reply.shape,
        )
    return response_answer(
        msgspec.json.encode(DocumentList([document_object(each) for each in outcome])),
        reply_to=reply.queue,
        correlation_id=reply.correlation_id,
        shape=reply.shape,
    )
