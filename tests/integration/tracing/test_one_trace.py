"""One trace from the producer over the door and the queue to the provider."""

from __future__ import annotations

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.integration.tracing.told import (
    ANSWERED,
    BY_HAND,
    CALLER,
    CANCELLED,
    FAILED,
    LATE,
    MALFORMED,
    QUEUED,
    STREAMED,
    USER,
    Told,
)
from tests.servers.collector import attributes_of

DOOR = "POST /v1/responses"
CHAT = "chat scripted"
OK, ERROR = Status.STATUS_CODE_UNSET, Status.STATUS_CODE_ERROR


def test_a_producers_trace_reaches_the_provider_over_the_queue(told: Told) -> None:
    assert told.answers[ANSWERED]["status"] == "completed"
    spans = told.spans(ANSWERED)
    parents = {name: span.parent_span_id for name, span in spans.items()}
    assert spans[DOOR].parent_span_id.hex() == CALLER
    assert parents["publish"] == spans[DOOR].span_id
    assert parents["turn"] == spans["publish"].span_id
    assert parents["answer"] == parents["recall"] == spans["turn"].span_id
    assert parents[CHAT] == spans["answer"].span_id
    kinds = {name: spans[name].kind for name in (DOOR, "publish", "turn", CHAT)}
    assert list(kinds.values()) == [
        Span.SPAN_KIND_SERVER,
        Span.SPAN_KIND_PRODUCER,
        Span.SPAN_KIND_CONSUMER,
        Span.SPAN_KIND_CLIENT,
    ]


def test_a_message_of_the_intake_queue_goes_on_with_its_producers_trace(told: Told) -> None:
    assert told.answers[QUEUED]["status"] == "completed"
    spans = told.spans(QUEUED)
    assert spans["publish"].parent_span_id.hex() == CALLER
    assert spans["turn"].parent_span_id == spans["publish"].span_id
    assert DOOR not in spans
    users = {told.attributes(trace, "turn")["user.id"] for trace in (ANSWERED, QUEUED)}
    assert len(users) == 1, "the same person by either door"


def test_a_verdict_on_an_answer_is_an_event_in_the_trace_of_its_message(told: Told) -> None:
    (event,) = told.spans(ANSWERED)["feedback"].events
    assert event.name == "gen_ai.evaluation.result"
    said = {one.key: one.value for one in event.attributes}
    assert said["gen_ai.evaluation.name"].string_value == "tone"
    assert said["gen_ai.evaluation.score.value"].double_value == 0.75
    assert said["gen_ai.response.id"].string_value == told.answers[ANSWERED]["id"]


def test_nothing_that_a_person_wrote_is_in_it(told: Told) -> None:
    everything = str(told.collector.exports)
    for text in (
        "forebay?",
        "forebay for",
        "of the queue",
        "refuses our key",
        USER,
        "alice",
        "Ask Bob",
    ):
        assert text not in everything


def test_what_went_before_the_queue_and_the_wait_in_it_are_told(told: Told) -> None:
    publish, turn = told.spans(ANSWERED)["publish"], told.attributes(ANSWERED, "turn")
    admitted, committed = publish.events
    assert (admitted.name, committed.name) == ("admitted", "committed")
    assert publish.start_time_unix_nano <= admitted.time_unix_nano <= committed.time_unix_nano
    assert attributes_of(publish)["forebay.lane"] == "standard"
    assert 0 <= turn["forebay.queued_seconds"] < 60


def test_each_span_of_a_message_says_whose_it_is(told: Told) -> None:
    conversation = told.answers["conversation"]
    told_of = [told.attributes(ANSWERED, name) for name in (DOOR, "publish", "turn", CHAT)]
    for attributes in told_of:
        assert attributes["session.id"] == conversation
        assert attributes["gen_ai.conversation.id"] == conversation
    users = {attributes["user.id"] for attributes in told_of}
    assert len(users) == 1
    assert len(users.pop()) == 32


def test_a_callers_own_name_of_a_conversation_is_a_pseudonym(told: Told) -> None:
    session = told.attributes(FAILED, "turn")["session.id"]
    assert len(session) == 32
    assert "session.id" not in told.attributes(STREAMED, "turn")


def test_the_door_says_how_it_answered(told: Told) -> None:
    attributes = told.attributes(ANSWERED, DOOR)
    assert attributes["http.request.method"] == "POST"
    assert attributes["http.route"] == "/v1/responses"
    assert attributes["http.response.status_code"] == 200
    assert attributes["forebay.message_id"] == told.answers[ANSWERED]["id"]
    refused = told.spans(MALFORMED)[DOOR]
    assert attributes_of(refused)["http.response.status_code"] == 400
    assert attributes_of(refused)["error.type"]
    assert refused.status.code == OK, "what a caller does wrong is no fault of the server"


def test_a_message_that_ends_well_says_so_on_its_turn_and_at_the_door(told: Told) -> None:
    for trace in (ANSWERED, STREAMED):
        for name in (DOOR, "turn"):
            assert told.attributes(trace, name)["forebay.state"] == "completed"
            assert told.spans(trace)[name].status.code == OK


def test_a_dead_letter_is_an_error_on_its_turn_and_at_the_door(told: Told) -> None:
    assert told.answers[FAILED]["status"] == "failed"
    for name in (DOOR, "turn"):
        assert told.attributes(FAILED, name)["forebay.state"] == "failed"
        assert told.spans(FAILED)[name].status.code == ERROR
    assert told.attributes(FAILED, DOOR)["error.type"] == "server_error"
    assert told.attributes(FAILED, "turn")["error.type"] == "chain_exhausted"
    assert told.spans(FAILED)[CHAT].status.code == ERROR


def test_what_died_in_the_queue_says_so_in_its_trace(told: Told) -> None:
    (end,) = told.spans(LATE).values()
    assert (end.name, end.parent_span_id.hex()) == ("end", CALLER)
    assert end.status.code == ERROR
    assert attributes_of(end)["forebay.state"] == "failed"


def test_a_cancel_is_the_end_in_the_trace_of_its_message_once(told: Told) -> None:
    (end,) = told.all_spans(CANCELLED)
    assert (end.name, end.parent_span_id.hex()) == ("end", CALLER)
    assert end.status.code == OK
    assert attributes_of(end)["forebay.state"] == "cancelled"


def test_a_persons_answer_is_the_end_in_the_trace_of_its_message(told: Told) -> None:
    (end,) = told.all_spans(BY_HAND)
    assert (end.name, end.parent_span_id.hex(), end.status.code) == ("end", CALLER, OK)
    attributes = attributes_of(end)
    assert attributes["forebay.state"] == "completed"
    assert attributes["forebay.answered_by"] == "human"
    assert len(attributes["user.id"]) == 32


def test_a_stream_tells_when_its_first_piece_came(told: Told) -> None:
    assert 0 < told.attributes(STREAMED, CHAT)["gen_ai.response.time_to_first_chunk"] < 60


def test_each_process_says_what_and_which_it_is(told: Told) -> None:
    door, worker = told.collector.resource_of(DOOR), told.collector.resource_of("turn")
    assert (door["service.name"], worker["service.name"]) == ("ingress", "worker")
    assert door["service.version"] == worker["service.version"] != ""
    assert door["service.instance.id"] != worker["service.instance.id"]
