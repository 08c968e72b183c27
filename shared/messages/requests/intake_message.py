"""The message a producer puts straight onto the `intake` queue."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from shared.messages.requests.create_response import CreateResponse


class IntakeMessage(CreateResponse, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The body of POST /v1/responses, and what HTTP says in headers.

    `deadline` is an absolute time with its offset; `idempotency_key` makes a repeated message
    harmless. The API key travels in the message's `authorization` header, never in the body.
    """

    idempotency_key: Annotated[str, msgspec.Meta(min_length=1, max_length=255)] | None = None
    deadline: datetime | None = None
