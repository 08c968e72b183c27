"""Calls that are no messages and cost work all the same: counted as messages are."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from ingress.admission.admission import Admission
from ingress.admission.question import DIGEST_BYTES, AdmissionRequest
from ingress.admission.told_verdict import quota_headers
from ingress.admission.verdict import Admitted, Refused
from ingress.api.http.error_answer import Header
from ingress.api.http.errors import NotAdmitted
from shared.identifiers import REQUEST, new_id
from shared.messages.lane import Lane
from shared.messages.tenant import Tenant
from shared.reservations.reservations import Reservations
from shared.token_count import tokens_of_size

_WITHOUT_DEADLINE_SECONDS: Final = 86_400.0


class MeteredCalls:
    """Counts a search, or texts to embed, against the limits of its tenant.

    It is one request of a minute's and the tokens of its text by estimate, and has a slot in
    flight until it is answered. It costs no money, waits in no lane, and says nothing against a
    user.
    """

    def __init__(self, admission: Admission, reservations: Reservations) -> None:
        self._admission = admission
        self._reservations = reservations

    @asynccontextmanager
    async def admitted(self, tenant: Tenant, *, text_bytes: int) -> AsyncIterator[list[Header]]:
        """While inside, it is under way; gives the headers of what is left. Raises NotAdmitted."""
        call = AdmissionRequest(
            message_id=new_id(REQUEST),
            tenant=tenant,
            user=None,
            lane=Lane.INTERACTIVE,
            estimated_tokens=tokens_of_size(text_bytes),
            # The same question twice is no sign of a fault.
            body_digest=os.urandom(DIGEST_BYTES),
            idempotency_key=None,
            seconds_left=_WITHOUT_DEADLINE_SECONDS,
            is_message=False,
        )
        verdict = await self._admission.decide(call)
        if isinstance(verdict, Refused):
            raise NotAdmitted(verdict)
        try:
            yield quota_headers(verdict.quota) if isinstance(verdict, Admitted) else []
        finally:
            await self._reservations.settle(
                tenant.id,
                None,
                message_id=call.message_id,
                estimated_tokens=call.estimated_tokens,
                used_tokens=call.estimated_tokens,
                nano_dollars=0,
            )
