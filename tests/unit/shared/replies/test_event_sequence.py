"""Whoever tells of a response tells the same: a worker word by word, a door from the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from msgspec.structs import replace

from shared.messages.events import (
    FunctionCallArgumentsDelta,
    FunctionCallArgumentsDone,
    OutputItemAdded,
    OutputItemDone,
    OutputTextDelta,
    closing_event,
    type_of,
)
from shared.messages.file_search.found_text import Citations, FileCitation, FoundText
from shared.messages.file_search.search_events import AnnotationAdded
from shared.messages.item import FunctionCall, ReasoningItem, SearchCall
from shared.messages.output import (
    OutputCall,
    OutputItem,
    encode_items,
    output_items,
    output_message,
)
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.replies.event_sequence import OutputEvents, beginning, opening, whole_answer
from tests.queued_message import queued_message

QUEUED = queued_message(
    body='{"input":"What is a forebay?","stream":true}',
    accepted_at=datetime(2030, 1, 1, tzinfo=UTC),
)
TAKEN = replace(QUEUED, state=ResponseState.IN_PROGRESS, attempt=1)
ENDED = replace(
    TAKEN,
    state=ResponseState.COMPLETED,
    finished_at=datetime(2030, 1, 1, 0, 0, 5, tzinfo=UTC),
    output_text="A basin.",
    model="scripted-1",
    input_tokens=7,
    output_tokens=3,
    cost=Decimal("0.001"),
    report='{"cache":{"kind":"exact","entry":"e","age_seconds":1.0}}',
)
CUT = replace(ENDED, state=ResponseState.INCOMPLETE, incomplete_reason="max_output_tokens")


@pytest.mark.parametrize("ended", [ENDED, CUT], ids=["completed", "incomplete"])
def test_a_worker_and_the_ledger_tell_the_same_events(ended: MessageRecord) -> None:
    text = OutputEvents(ended.id)
    is_whole = ended.state is ResponseState.COMPLETED
    item = output_message(ended.id, "A basin.", is_whole=is_whole)
    by_worker = [
        beginning(TAKEN),
        *text.write("A "),
        *text.write("basin."),
        *text.close([item]),
        closing_event(ended),
    ]
    [first, second] = [event for event in by_worker if isinstance(event, OutputTextDelta)]
    by_worker[by_worker.index(first)] = replace(first, delta=first.delta + second.delta)
    by_worker.remove(second)
    assert by_worker == [*whole_answer(ended)]


def test_a_stream_opens_alike_however_late_it_is_read() -> None:
    assert opening(ENDED) == opening(QUEUED)
    assert beginning(ENDED) == beginning(TAKEN)


def test_an_answer_that_was_cut_is_no_whole_item() -> None:
    *_, done, end = whole_answer(CUT)
    assert msgspec.to_builtins(done)["item"]["status"] == "incomplete"
    assert msgspec.to_builtins(end)["response"]["output"][0]["status"] == "incomplete"


def test_a_response_without_a_text_is_told_by_its_end_alone() -> None:
    failed = replace(TAKEN, state=ResponseState.FAILED, error_code="server_error")
    assert [*whole_answer(failed)] == [closing_event(failed)]


def test_a_text_that_never_began_is_not_closed() -> None:
    item = output_message("resp_1", "", is_whole=True)
    assert OutputEvents("resp_1").close([item]) == []


THOUGHT = ReasoningItem(summary=({"type": "summary_text", "text": "Two dams."},))
CALLS = (FunctionCall("call_1", "look_up", '{"name":"dam"}'), FunctionCall("call_2", "weigh", "{}"))


@pytest.mark.parametrize("text", ["A basin.", ""], ids=["with words", "without"])
def test_thoughts_and_calls_have_their_places_around_the_text(text: str) -> None:
    ended = replace(ENDED, output_text=text, output_items=encode_items((THOUGHT, *CALLS)))
    output = output_items(ended.id, text, (THOUGHT, *CALLS))
    told = OutputEvents(ended.id)
    by_worker = [
        beginning(TAKEN),
        *told.think(THOUGHT),
        *(told.write(text) if text else ()),
        *told.close(output),
        closing_event(ended),
    ]
    assert by_worker == [*whole_answer(ended)]
    added = [event for event in by_worker if isinstance(event, OutputItemAdded)]
    kinds = ["reasoning", *(["message"] if text else []), "function_call", "function_call"]
    assert [(event.output_index, tag_of(event.item)) for event in added] == [*enumerate(kinds)]
    ids = [item.id for item in output]
    assert len({*ids}) == len(ids)
    assert [event.item.id for event in added] == ids
    done = [event for event in by_worker if isinstance(event, OutputItemDone)]
    assert [event.item for event in done] == output
    assert closing_event(ended).response.output == output


def test_a_call_is_told_in_one_piece() -> None:
    begun, delta, whole, done = OutputEvents("resp_1").close(output_items("resp_1", "", CALLS[:1]))
    assert isinstance(begun, OutputItemAdded)
    assert isinstance(begun.item, OutputCall)
    assert (begun.item.arguments, begun.item.status) == ("", "in_progress")
    assert isinstance(delta, FunctionCallArgumentsDelta)
    assert isinstance(whole, FunctionCallArgumentsDone)
    assert delta.delta == whole.arguments == '{"name":"dam"}'
    assert isinstance(done, OutputItemDone)


def tag_of(item: OutputItem) -> str:
    return str(item.__struct_config__.tag)


def test_a_search_is_told_before_all_else_and_its_citations_before_the_text_is_closed() -> None:
    search = SearchCall(queries=("How deep?",), results=(FoundText("file-1", "a.md"),))
    places = (FileCitation(8, "file-1", "a.md"), FileCitation(8, "file-2", "b.md"))
    output = output_items("resp_1", "A basin.", (THOUGHT, search, Citations(places)))
    events = OutputEvents("resp_1")
    live = [
        *events.tell(output[0]),
        *events.think(THOUGHT),
        *events.write("A basin."),
        *events.close(output),
    ]

    told = [(type_of(type(event)), getattr(event, "output_index", None)) for event in live]
    assert told[:5] == [
        ("response.output_item.added", 0),
        ("response.file_search_call.in_progress", 0),
        ("response.file_search_call.searching", 0),
        ("response.file_search_call.completed", 0),
        ("response.output_item.done", 0),
    ]
    added = [event for event in live if isinstance(event, AnnotationAdded)]
    assert [(one.annotation, one.annotation_index, one.output_index) for one in added] == [
        (places[0], 0, 2),
        (places[1], 1, 2),
    ]
    assert told.index(("response.output_text.done", 2)) > told.index(
        ("response.output_text.annotation.added", 2)
    )
    assert live == OutputEvents("resp_1").close(output)
