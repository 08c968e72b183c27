"""Whatever is sent, the door answers, says why, and never answers 500."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hypothesis
import openai
import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker

RELAXED = settings(
    max_examples=100,
    deadline=None,
    phases=[Phase.generate],
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just("\0")
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = [
    "input",
    "model",
    "instructions",
    "previous_response_id",
    "conversation",
    "background",
    "stream",
    "metadata",
    "max_output_tokens",
    "temperature",
    "top_p",
    "service_tier",
    "user",
    "safety_identifier",
    "truncation",
    "text",
    "tools",
    "tool_choice",
    "include",
    "store",
    "messages",
    "max_tokens",
    "n",
    "stop",
    "seed",
    "response_format",
    "system",
    "stop_sequences",
    "thinking",
    "output_config",
]
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
LATIN = st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")
HEADERS = st.dictionaries(
    st.sampled_from(
        ["Prefer", "X-Forebay-Deadline", "Idempotency-Key", "Last-Event-ID", "traceparent"]
    ),
    # The client sends no header that begins with a space.
    st.text(LATIN, max_size=30).map(str.lstrip),
    max_size=3,
)


@pytest.fixture
def session(door: RunningDoor, key: str) -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.headers["Authorization"] = f"Bearer {key}"
        yield made


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions", "/v1/messages"])
def test_no_body_of_known_fields_is_a_500(
    door: RunningDoor, session: requests.Session, path: str
) -> None:
    @RELAXED
    @given(body=BODIES, headers=HEADERS)
    def send(body: dict[str, Any], headers: dict[str, str]) -> None:
        plain = {name: value.encode("latin-1") for name, value in headers.items()}
        plain["X-Forebay-Deadline"] = plain.get("X-Forebay-Deadline", b"0.02")
        data = json.dumps({"background": True, **body} if "responses" in path else body)
        _check(session.post(door.url + path, data=data, headers=_json(plain), timeout=60))

    send()


def test_no_bytes_at_all_are_a_500(door: RunningDoor, session: requests.Session) -> None:
    @RELAXED
    @given(data=st.binary(max_size=200))
    def send(data: bytes) -> None:
        _check(session.post(f"{door.url}/v1/responses", data=data, headers=_json({}), timeout=60))

    send()


@pytest.mark.filterwarnings("ignore")
def test_what_our_own_document_allows_is_no_500(
    door: RunningDoor, session: requests.Session
) -> None:
    import schemathesis  # only here: whoever collects the tests would wait a second for it

    schema = schemathesis.openapi.from_url(f"{door.url}/openapi.json")

    @RELAXED
    @given(data=st.data())
    def call(data: st.DataObject) -> None:
        operation = data.draw(st.sampled_from(operations))
        case = data.draw(operation.as_strategy())
        # Nobody answers here, so whoever waits must not wait long.
        brief = {"X-Forebay-Deadline": "0.02", "Prefer": "wait=0"}
        case.headers = {**(case.headers or {}), **brief, **session.headers}
        if isinstance(case.body, dict):
            case.body.pop("stream", None)
        request = case.as_transport_kwargs(base_url=door.url)
        _check(session.request(**request, timeout=60))

    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 11
    call()


@pytest.mark.filterwarnings("ignore")
async def test_what_our_document_allows_to_say_of_an_answer_is_kept_or_refused(
    door: RunningDoor, session: requests.Session, client: openai.AsyncOpenAI, worker: StandInWorker
) -> None:
    import schemathesis  # as above

    worker.serve()
    ended = [(await client.responses.create(input=f"Question {nth}")).id for nth in range(4)]
    statuses = Counter[int]()

    def ask() -> None:
        path = "/v1/responses/{response_id}/feedback"
        document = session.get(f"{door.url}/openapi.json", timeout=60).json()
        document["paths"] = {path: {"post": document["paths"][path]["post"]}}
        operation = schemathesis.openapi.from_dict(document)[path]["POST"]

        @settings(RELAXED, max_examples=40)
        @given(data=st.data())
        def call(data: st.DataObject) -> None:
            case = data.draw(operation.as_strategy())
            case.path_parameters = {"response_id": data.draw(st.sampled_from(ended))}
            case.headers = {**(case.headers or {}), **session.headers}
            answer = session.request(**case.as_transport_kwargs(base_url=door.url), timeout=60)
            _check(answer)
            statuses[answer.status_code] += 1

        call()

    await asyncio.to_thread(ask)
    assert statuses[200] > 0
    assert {*statuses} <= {200, 400, 409, 429}


def _json(headers: dict[str, bytes]) -> dict[str, bytes | str]:
    return {"Content-Type": "application/json", **headers}


def _check(answer: requests.Response) -> None:
    hypothesis.event(str(answer.status_code))
    # Nobody works here: a wait runs out, and a lane that stands still is refused.
    honest = answer.status_code == 504 or (
        answer.status_code == 503 and _code(answer) == "lane_overloaded"
    )
    assert answer.status_code < 500 or honest, answer.text
    assert answer.headers["x-request-id"].startswith("req_")
    if answer.status_code >= 400:
        assert _code(answer), answer.text


def _code(answer: requests.Response) -> str | None:
    body = answer.json()
    error = body.get("error", body)
    code: str | None = error.get("details", {}).get("error_code") or error.get("code")
    return code
