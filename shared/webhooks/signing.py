"""Signatures and bodies of webhooks, as Standard Webhooks and OpenAI's clients read them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from shared.persistence.ledger.settlement.event_tables import EventType

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, to whom it may be told; `about` is the id of what ended."""

    id: str
    type: EventType
    about: str
    created_at: datetime


def new_secret() -> str:
    """A fresh secret: `whsec_` and 32 random bytes in base64."""
    return _PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def event_body(event: WebhookEvent) -> bytes:
    """The JSON that is sent: the same bytes at every try."""
    return msgspec.json.encode(
        {
            "object": "event",
            "id": event.id,
            "type": event.type,
            "created_at": int(event.created_at.timestamp()),
            "data": {"id": event.about},
        }
    )


def signed_headers(
    secrets_of: Sequence[str], *, event_id: str, at: datetime, body: bytes
) -> dict[str, str]:
    """The three headers of a try at that moment: a signature for each secret that is in force."""
    seconds = str(int(at.timestamp()))
    content = f"{event_id}.{seconds}.".encode() + body
    signatures = [_signature(secret, content) for secret in secrets_of]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(signatures),
    }


def _signature(secret: str, content: bytes) -> str:
    key = b64decode(secret.removeprefix(_PREFIX))
    return f"v1,{b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()}"
