"""What is sent is verified by the official package, and read by OpenAI's client."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from openai import InvalidWebhookSignatureError, OpenAI
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from shared.persistence.ledger.settlement.event_tables import EventType
from shared.webhooks.signing import WebhookEvent, event_body, new_secret, signed_headers

CREATED_AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
EVENT = WebhookEvent(
    id="evt_1", type=EventType.RESPONSE_COMPLETED, about="resp_1", created_at=CREATED_AT
)


def _headers(
    *secrets: str, ago: timedelta = timedelta(), body: bytes | None = None
) -> dict[str, str]:
    """Signed just now: whoever verifies refuses what is older than five minutes."""
    body = event_body(EVENT) if body is None else body
    return signed_headers(secrets, event_id=EVENT.id, at=datetime.now(UTC) - ago, body=body)


def test_the_official_package_verifies_what_is_sent() -> None:
    secret, body = new_secret(), event_body(EVENT).decode()
    assert Webhook(secret).verify(body, _headers(secret)) == {
        "object": "event",
        "id": "evt_1",
        "type": "response.completed",
        "created_at": int(CREATED_AT.timestamp()),
        "data": {"id": "resp_1"},
    }


def test_while_a_secret_is_rotated_either_verifies_and_no_other() -> None:
    new, old, body = new_secret(), new_secret(), event_body(EVENT).decode()
    headers = _headers(new, old)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for each in (new, old):
        assert Webhook(each).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(body, headers)


def test_another_body_another_id_and_another_time_verify_nowhere() -> None:
    secret, body = new_secret(), event_body(EVENT).decode()
    headers = _headers(secret)
    stale = _headers(secret, ago=timedelta(hours=1))
    for told, given in (
        (body.replace("resp_1", "resp_2"), headers),
        (body, headers | {"webhook-id": "evt_2"}),
        (body, stale),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(told, given)


@pytest.mark.parametrize("kind", [each for each in EventType if each is not EventType.TEST])
def test_openais_client_unwraps_each_type(kind: EventType) -> None:
    secret = new_secret()
    event = WebhookEvent(id="evt_1", type=kind, about="x_1", created_at=CREATED_AT)
    body = event_body(event)
    headers = _headers(secret, body=body)
    client = OpenAI(api_key="none")
    told = client.webhooks.unwrap(body, headers, secret=secret)
    assert type(told).__name__ == "".join(map(str.capitalize, kind.split("."))) + "WebhookEvent"
    assert (told.type, told.id, told.data.id) == (kind, "evt_1", "x_1")  # type: ignore[union-attr]
    with pytest.raises(InvalidWebhookSignatureError):
        client.webhooks.unwrap(body, headers, secret=new_secret())


def test_secrets_are_what_the_standard_asks_for_and_never_the_same() -> None:
    made = {new_secret() for _ in range(20)}
    assert len(made) == 20
    assert all(each.startswith("whsec_") and len(each) == 50 for each in made)
    assert json.loads(event_body(EVENT))["data"] == {"id": "resp_1"}
