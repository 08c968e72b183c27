"""What is asked with `file_search`, and what is told of it, is as OpenAI describes it."""

from __future__ import annotations

import msgspec

from shared.messages.body import encode_body
from shared.messages.events import encode_event, numbered
from shared.messages.file_search.found_text import Citations, FileCitation, FoundText
from shared.messages.item import SearchCall
from shared.messages.output import encode_items
from shared.messages.record import MessageRecord
from shared.messages.requests.create_response import decode_create_response
from shared.messages.response import response_object
from shared.messages.state import ResponseState
from shared.replies.event_sequence import whole_answer
from tests.integration.ingress.contract import openai_contract
from tests.queued_message import queued_message

ASKED = {
    "input": [
        {
            "type": "file_search_call",
            "id": "fs_1",
            "queries": ["How many?"],
            "status": "completed",
            "results": None,
        },
        {"role": "user", "content": "How many roads?"},
    ],
    "tools": [
        {
            "type": "file_search",
            "vector_store_ids": ["vs_1"],
            "filters": {
                "type": "and",
                "filters": [
                    {"type": "gte", "key": "year", "value": 2020},
                    {"type": "in", "key": "kind", "value": ["manual", "note"]},
                ],
            },
            "max_num_results": 5,
            "ranking_options": {
                "ranker": "auto",
                "score_threshold": 0.5,
                "hybrid_search": {"embedding_weight": 1.0, "text_weight": 1.0},
            },
        }
    ],
    "tool_choice": {"type": "file_search"},
    "include": ["file_search_call.results"],
}
FOUND = FoundText("file-1", "roads.md", 0.5, "47 roads.", {"kind": "manual", "year": 2024.0})


def answered() -> MessageRecord:
    items = (
        SearchCall(queries=("How many roads?",), results=(FOUND,)),
        Citations((FileCitation(9, "file-1", "roads.md"),)),
    )
    return queued_message(
        body=encode_body(decode_create_response(msgspec.json.encode(ASKED))).decode(),
        state=ResponseState.COMPLETED,
        output_text="47 roads.",
        output_items=encode_items(items),
        input_tokens=5,
        output_tokens=2,
    )


def test_a_request_and_a_response_with_a_search_are_openais() -> None:
    contract = openai_contract()
    contract.check("CreateResponse", ASKED)
    response = msgspec.json.decode(msgspec.json.encode(response_object(answered())))

    contract.check("Response", response)
    contract.check("FileSearchToolCall", response["output"][0])
    assert response["tools"] == ASKED["tools"]
    assert response["tool_choice"] == ASKED["tool_choice"]


def test_each_event_of_a_search_is_openais() -> None:
    contract, names = openai_contract(), set[str]()
    for number, event in enumerate(whole_answer(answered())):
        told = msgspec.json.decode(numbered(encode_event(event), number))
        contract.check("ResponseStreamEvent", told)
        names.add(told["type"])

    assert {
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.file_search_call.completed",
        "response.output_text.annotation.added",
    } <= names
