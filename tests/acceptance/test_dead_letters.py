"""`forebay dead`: what died is listed, replayed once, or discarded."""

from __future__ import annotations

import json
from typing import Any

from kombu import Connection

from tests.acceptance.command import RunningStack, Typed, eventually, http_get, http_post, printed


def _put_on_intake(stack: RunningStack, body: str) -> None:
    state = json.loads((stack.folder / ".forebay" / "stack.json").read_text())
    with Connection(state["environment"]["FOREBAY_BROKER__URL"]) as connection:
        connection.Producer().publish(
            body, routing_key="intake", content_type="application/json", content_encoding="utf-8"
        )


def _open_letters(typed: Typed) -> dict[str, dict[str, Any]]:
    return {letter["body"]: letter for letter in printed(typed, "dead", "list")}


def test_a_message_without_a_key_is_replayed_with_one(stack: RunningStack, typed: Typed) -> None:
    body = '{"input": "Hello from the queue"}'
    _put_on_intake(stack, body)
    assert eventually(lambda: body in _open_letters(typed))
    letter = _open_letters(typed)[body]
    assert letter["reason"] == "unauthenticated"
    replayed = printed(typed, "dead", "replay", letter["id"])
    assert replayed == {"letter_id": letter["id"], "replayed_as": "intake"}
    assert printed(typed, "dead", "show", letter["id"])["state"] == "replayed"
    again = typed("dead", "replay", letter["id"])
    assert again.returncode == 1
    assert "replayed already" in again.stderr


def test_what_cannot_be_mended_is_discarded(stack: RunningStack, typed: Typed) -> None:
    body = "this is no JSON"
    _put_on_intake(stack, body)
    assert eventually(lambda: body in _open_letters(typed))
    letter = _open_letters(typed)[body]
    assert letter["reason"] == "malformed"
    assert printed(typed, "dead", "discard", letter["id"])["state"] == "discarded"
    assert body not in _open_letters(typed)


def test_a_message_that_failed_after_acceptance_is_accepted_anew(
    stack: RunningStack, typed: Typed
) -> None:
    login = {"Authorization": f"Bearer {stack.ready['key']}"}
    url = f"{stack.ready['url']}/v1/responses"
    late = http_post(
        url,
        json={"input": "word " * 40_000, "background": True, "model": "auto"},
        headers=login,
    ).json()
    assert eventually(
        lambda: http_get(f"{url}/{late['id']}", headers=login).json()["status"] == "failed"
    )
    letter = next(
        each for each in printed(typed, "dead", "list") if each["message_id"] == late["id"]
    )
    replayed = printed(typed, "dead", "replay", letter["id"])["replayed_as"]
    assert replayed.startswith("resp_")
    assert replayed != late["id"]
    assert http_get(f"{url}/{replayed}", headers=login).status_code == 200
    assert printed(typed, "dead", "show", letter["id"])["replayed_as"] == replayed
