"""Reading the `intake` queue: the same acceptance as over HTTP, an answer to whoever waits."""

from __future__ import annotations

from ingress.acceptance import Acceptance, AcceptedMessage
from ingress.admission.verdict import RefusalReason, Refused
from ingress.authentication import Authentication
from ingress.intake.submission import Submission, UnfitSubmission, submission_of
from ingress.references import References
from shared.accepting.arrival import Arrival, keep, seen_by
from shared.accepting.reply_address import ReplyAddress, answer_of, reply_address
from shared.errors import (
    Forbidden,
    Gone,
    InvalidRequest,
    NotFound,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from shared.messages.dead_letter import Bury, DeadReason
from shared.messages.record import Surface
from shared.messages.requests.calls import TEXT_LIMIT_BYTES
from shared.queueing.answers.answer_publisher import AnswerPublisher
from shared.queueing.answers.answers import QueuedAnswer, error_answer
from shared.queueing.dead_letters.letter import letter_about
from shared.queueing.dead_letters.sink import DeadLetterSink
from shared.queueing.reading.delivery import Delivery
from shared.queueing.reading.patience import until_available
from shared.queueing.reading.reader import QueueReader
from shared.queueing.topology import QueueName
from shared.settings.servers import BrokerSettings
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import TRACEPARENT, TRACESTATE, extract


class Intake:
    """Takes a message off the queue only when it is committed, or buried with its reason.

    While the ledger is away messages wait in hand, then in the queue. One that comes twice is
    accepted once: its idempotency key is its own, else its message id, task id or correlation id.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        acceptance: Acceptance,
        authentication: Authentication,
        references: References,
        answers: AnswerPublisher,
        sink: DeadLetterSink,
        metrics: Metrics,
        *,
        body_limit_bytes: int,
        text_limit_bytes: int = TEXT_LIMIT_BYTES,
    ) -> None:
        self._broker = broker
        self._acceptance = acceptance
        self._authentication = authentication
        self._references = references
        self._answers = answers
        self._sink = sink
        self._count = metrics.intake_messages
        self._body_limit_bytes = body_limit_bytes
        self._text_limit_bytes = text_limit_bytes
        self._log = get_logger(__name__)
        self._reader = QueueReader(QueueName.INTAKE, broker, handle=self._handle)

    async def start(self) -> None:
        """Starts to read; a broker that is away is waited for. `answers` and `sink` are others'."""
        await self._reader.start()

    async def close(self) -> None:
        """Finishes what is in hand, within a few seconds, and leaves the rest in the queue."""
        await self._reader.close()

    @property
    def is_reading(self) -> bool:
        """Whether the reader lives."""
        return self._reader.is_reading

    async def _handle(self, delivery: Delivery) -> None:
        verdict = await self._take(delivery)
        if verdict is not None:
            letter = letter_about(delivery, verdict, queue=QueueName.INTAKE.value)
            await until_available(lambda: self._sink.bury(letter))

    async def _take(self, delivery: Delivery) -> Bury | None:
        reply = reply_address(delivery, self._broker)
        try:
            submission = await submission_of(
                delivery,
                limit_bytes=self._body_limit_bytes,
                text_limit_bytes=self._text_limit_bytes,
            )
            outcome = await self._accept(submission, delivery, reply)
        except UnfitSubmission as error:
            return await self._refuse(error.reason, error.message, reply=reply, param=error.param)
        except (InvalidRequest, NotFound, TooLarge) as error:
            return await self._refuse(
                DeadReason.INVALID, error.message, reply=reply, param=error.param
            )
        except (Unauthenticated, Forbidden) as error:
            return await self._refuse(DeadReason.UNAUTHENTICATED, error.message, reply=reply)
        except Gone as error:
            return await self._refuse(DeadReason.REFUSED, error.message, reply=reply)
        if isinstance(outcome, Refused):
            detail = f"{outcome.reason}: {outcome.message}"
            return await self._refuse(DeadReason.REFUSED, detail, reply=reply)
        await self._greet(outcome, reply)
        return None

    async def _accept(
        self, submission: Submission, delivery: Delivery, reply: ReplyAddress | None
    ) -> AcceptedMessage | Refused:
        caller = await until_available(
            lambda: self._authentication.caller(submission.authorization)
        )
        tenant_id, asked = caller.tenant.id, submission.body
        body = await until_available(lambda: self._references.resolved(asked, tenant_id=tenant_id))
        named_bytes = await until_available(
            lambda: self._references.named_bytes(body, tenant_id=tenant_id)
        )
        if body.file_search is not None:
            body = seen_by(body, caller.principals)
        trace = extract(delivery.headers)
        arrival = Arrival(
            tenant=caller.tenant,
            body=body,
            kept=await keep(body),
            named_bytes=named_bytes,
            surface=Surface.INTAKE,
            idempotency_key=submission.idempotency_key,
            deadline=submission.deadline,
            trace={} if trace is None else _carried(trace.traceparent, trace.tracestate),
            reply_to=reply.queue if reply else None,
            reply_correlation=reply.correlation_id if reply else None,
            reply_shape=reply.shape if reply else None,
        )
        return await until_available(lambda: self._verdict(arrival))

    async def _verdict(self, arrival: Arrival) -> AcceptedMessage | Refused:
        outcome = await self._acceptance.accept(arrival)
        if isinstance(outcome, Refused) and outcome.reason is RefusalReason.UNAVAILABLE:
            # Over HTTP the caller would try again; here the queue does it for them.
            raise Unavailable(outcome.message, retry_after_seconds=outcome.retry_after_seconds)
        return outcome

    async def _refuse(
        self,
        reason: DeadReason,
        detail: str,
        *,
        reply: ReplyAddress | None,
        param: str | None = None,
    ) -> Bury:
        refused = reason is DeadReason.REFUSED
        self._count.labels("refused" if refused else "dead_lettered").inc()
        if reply is not None:
            await self._answer(
                error_answer(
                    reason.value,
                    detail,
                    param=param,
                    reply_to=reply.queue,
                    correlation_id=reply.correlation_id,
                    shape=reply.shape,
                )
            )
        return Bury(reason, detail)

    async def _greet(self, accepted: AcceptedMessage, reply: ReplyAddress | None) -> None:
        self._count.labels("existing" if accepted.repeated else "accepted").inc()
        if reply is not None and accepted.repeated and accepted.record.state.is_terminal:
            # Whoever asks again may have missed the answer.
            await self._answer(answer_of(accepted.record, reply))

    async def _answer(self, answer: QueuedAnswer) -> None:
        try:
            await self._answers.send(answer)
        except Unavailable as error:
            self._log.warning("answer not sent", error=error.message)


def _carried(traceparent: str, tracestate: str) -> dict[str, str]:
    carried = {TRACEPARENT: traceparent}
    return carried | {TRACESTATE: tracestate} if tracestate else carried
