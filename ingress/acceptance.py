"""Accept: admission, then the way in. The same road for every door."""

from __future__ import annotations

from typing import Final, assert_never

import msgspec

from ingress.admission.admission import Admission
from ingress.admission.question import AdmissionRequest, Sending
from ingress.admission.verdict import Admitted, Existing, Quota, RefusalReason, Refused
from ingress.prompt_ledger import PromptLedger
from shared.accepting.arrival import Arrival
from shared.accepting.entrance import Entrance
from shared.accepting.ledger_entry import LedgerEntries
from shared.errors import Gone, InvalidRequest, Unavailable
from shared.messages.body import body_digest
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord, Surface
from shared.messages.state import ResponseState
from shared.messages.stored_body import decode_body
from shared.persistence.ledger.records import AlreadyAccepted
from shared.telemetry.metrics import Metrics

_SURFACE_LABELS: Final = {
    Surface.RESPONSES: "responses",
    Surface.CHAT: "chat_completions",
    Surface.MESSAGES: "messages",
    Surface.INTAKE: "intake",
}


class AcceptedMessage(msgspec.Struct, frozen=True):
    """The message is on disk. `repeated` says that an earlier request put it there, and that the
    idempotency key led this one to it; its state may be any by now. `unchecked_patterns` are the
    places in its JSON Schema that no answer is held against."""

    record: MessageRecord
    quota: Quota | None = None
    repeated: bool = False
    unchecked_patterns: tuple[str, ...] = ()


Outcome = AcceptedMessage | Refused


class Acceptance:
    """Lets messages in. What it returns as accepted is committed and will be answered.

    `recalled_bytes` is what the prompt of a conversation comes to at the most.
    """

    def __init__(
        self,
        admission: Admission,
        entries: LedgerEntries,
        entrance: Entrance,
        ledger: PromptLedger,
        metrics: Metrics,
        *,
        recalled_bytes: int = 0,
    ) -> None:
        self._admission = admission
        self._entries = entries
        self._entrance = entrance
        self._ledger = ledger
        self._recalled_bytes = recalled_bytes
        self._accepted = {
            (lane, surface): metrics.accepted_messages.labels(lane.value, _SURFACE_LABELS[surface])
            for lane in Lane
            for surface in Surface
        }

    async def accept(self, arrival: Arrival) -> Outcome:
        """Accepted or refused.

        Raises InvalidRequest for what the caller must change, LedgerUnavailable when nothing can
        be committed now; then nothing was consumed and nothing promised.
        """
        arrival.check()
        p90_output_tokens = self._admission.p90_output_tokens(arrival.tenant.id)
        record = self._entries.record_of(arrival, p90_output_tokens=p90_output_tokens)
        await self._check_previous(record)
        question = self._question(arrival, record)
        verdict = await self._admission.decide(question)
        match verdict:
            case Admitted():
                return await self._commit(arrival, record, question, verdict)
            case Existing():
                if not verdict.same_body:
                    return await self._compare(arrival, record, verdict.message_id)
                known = msgspec.structs.replace(
                    record,
                    id=verdict.message_id,
                    held_at=record.accepted_at if verdict.held else None,
                )
                asked = msgspec.structs.replace(question, message_id=verdict.message_id)
                return await self._rejoin(arrival, known, asked)
            case Refused():
                return verdict
            case _:
                assert_never(verdict)

    async def _check_previous(self, record: MessageRecord) -> None:
        if record.previous_id is None:
            return
        previous = await self._ledger.find(record.previous_id, tenant_id=record.tenant_id)
        if previous is None or previous.store is False:
            raise InvalidRequest(
                f"Previous response with id '{record.previous_id}' not found.",
                param="previous_response_id",
                kind="previous_response_not_found",
            )
        if previous.state is not ResponseState.COMPLETED:
            raise InvalidRequest(
                f"The previous response is {previous.state}, not completed. Wait for it, or "
                "continue another one.",
                param="previous_response_id",
                kind="previous_response_not_completed",
            )

    async def _commit(
        self,
        arrival: Arrival,
        record: MessageRecord,
        question: AdmissionRequest,
        verdict: Admitted,
    ) -> Outcome:
        if verdict.held:
            record = msgspec.structs.replace(record, held_at=record.accepted_at)
        try:
            outcome = await self._entrance.accept(record, arrival.trace, arrival.kept.contents)
        except BaseException:
            await self._admission.give_back(question, held=verdict.held)
            raise
        if isinstance(outcome, AlreadyAccepted):
            return await self._yield_to(arrival, record, question, outcome)
        self._note(record, question)
        return AcceptedMessage(record, verdict.quota)

    async def _rejoin(
        self, arrival: Arrival, record: MessageRecord, question: AdmissionRequest
    ) -> Outcome:
        """The message that Redis knows this key by, under whose id the record is."""
        found = await self._first(record.id, record.tenant_id)
        if found is not None:
            return AcceptedMessage(found, repeated=True)
        # The first request is a moment away from its commit, or died on the way to it. The
        # same row under the same id is written once, whoever of us comes first.
        outcome = await self._entrance.accept(record, arrival.trace, arrival.kept.contents)
        if isinstance(outcome, AlreadyAccepted):
            return await self._yield_to(arrival, record, question, outcome)
        self._note(record, question)
        return AcceptedMessage(record, repeated=True)

    async def _yield_to(
        self,
        arrival: Arrival,
        record: MessageRecord,
        question: AdmissionRequest,
        owner: AlreadyAccepted,
    ) -> Outcome:
        """The key is another message's, whatever Redis knew of it: the ledger's word counts.

        Redis had forgotten it, or names a message whose door died before its commit.
        """
        owner_id = owner.message_id if owner.same_body else None
        held = record.held_at is not None
        await self._admission.give_back(question, owner_id=owner_id, held=held)
        if not owner.same_body:
            return await self._compare(arrival, record, owner.message_id)
        found = await self._first(owner.message_id, arrival.tenant.id)
        if found is None:
            raise Unavailable("The response was deleted a moment ago.", retry_after_seconds=1.0)
        return AcceptedMessage(found, repeated=True)

    async def _compare(self, arrival: Arrival, record: MessageRecord, owner_id: str) -> Outcome:
        """The key's owner has another digest. Earlier versions of Forebay made it of the bytes
        that were sent: the bodies themselves decide."""
        found = await self._first(owner_id, record.tenant_id)
        if found is None or body_digest(decode_body(found.body.encode())) != record.body_digest:
            return _conflict(arrival)
        return AcceptedMessage(found, repeated=True)

    async def _first(self, message_id: str, tenant_id: str) -> MessageRecord | None:
        """The message that was sent before, if it is on disk; raises Gone where it was erased.

        To answer it anew would be to pay for it, and to do what it asks for, a second time.
        """
        found = await self._ledger.trace(message_id, tenant_id=tenant_id)
        if found is None or found.erased_at is None:
            return found
        raise Gone(
            f"This message was answered before, as '{message_id}', and is erased since. Send it "
            "under a new idempotency key to have it answered once more."
        )

    def _question(self, arrival: Arrival, record: MessageRecord) -> AdmissionRequest:
        body = arrival.body
        key, sending = _claim(arrival, record)
        continues = record.conversation_id is not None or record.previous_id is not None
        prompt_bytes = body.prompt_bytes(arrival.kept.size) + arrival.named_bytes
        return AdmissionRequest(
            message_id=record.id,
            tenant=arrival.tenant,
            user=record.user_id,
            lane=record.lane,
            estimated_tokens=record.estimated_tokens,
            body_digest=bytes.fromhex(record.body_digest),
            idempotency_key=key,
            sending=sending,
            seconds_left=(record.deadline - record.accepted_at).total_seconds(),
            prompt_bytes=max(prompt_bytes, self._recalled_bytes if continues else 0),
            prompt_messages=len(body.input) + 1,
            max_output_tokens=body.max_output_tokens,
        )

    def _note(self, record: MessageRecord, question: AdmissionRequest) -> None:
        self._admission.committed(question)
        self._accepted[record.lane, record.surface].inc()


def _claim(arrival: Arrival, record: MessageRecord) -> tuple[str | None, Sending]:
    """The key under which Redis knows the message, and what it is good for."""
    retry = arrival.client_retry
    if record.idempotency_key is not None or retry is None:
        return record.idempotency_key, Sending.KEYED
    # A caller's own key cannot hold NUL, so this can be none of them.
    key = f"\0{retry.scope}{record.body_digest}"
    return key, Sending.AGAIN if retry.count else Sending.FIRST


def _conflict(arrival: Arrival) -> Refused:
    return Refused(
        reason=RefusalReason.IDEMPOTENCY_CONFLICT,
        message=(
            f"The idempotency key '{arrival.idempotency_key}' was used before, with another body. "
            "Use a new key for a new message."
        ),
        retry_after_seconds=0.0,
        quota=None,
    )
