"""The message that puts documents onto the `index` queue, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

import msgspec

from shared.decoding import convert
from shared.errors import BrokerUnavailable
from shared.messages.requests.post_documents import PostDocuments
from shared.queueing.envelope import constant_headers, own_origin
from shared.queueing.parcel import Parcel
from shared.queueing.task_names import TaskName
from shared.queueing.topology import QueueName

DocumentFields = Mapping[str, Any]
"""The fields of one document, as in POST /v1/documents."""

_NOTHING_FOLLOWS: Final = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


class _Failure(msgspec.Struct, frozen=True):
    exc_message: list[str] = []


class _Result(msgspec.Struct, frozen=True):
    status: str
    result: msgspec.Raw


class _Put(msgspec.Struct, frozen=True):
    data: list[dict[str, Any]]


def build_documents(collection: str, documents: Sequence[DocumentFields]) -> PostDocuments:
    """The documents in the form of the queue; raises InvalidRequest naming the field."""
    told = {"collection": collection, "documents": [dict(each) for each in documents]}
    return convert(told, PostDocuments)


def documents_parcel(posted: PostDocuments, *, is_answered: bool = False) -> Parcel:
    """One message with all of them: a task of Celery's, which the indexers run."""
    identifier = uuid4().hex
    own = {"id": identifier, "root_id": identifier, "ignore_result": not is_answered}
    return Parcel(
        queue=QueueName.INDEX.value,
        body=msgspec.json.encode([[], posted, _NOTHING_FOLLOWS]),
        identifier=identifier,
        headers=constant_headers(own_origin(), task=TaskName.DOCUMENTS) | own,
    )


def documents_answer(answer: bytes) -> list[dict[str, Any]] | tuple[str, str]:
    """The documents as the API shows them, or the reason and the sentence of a refusal."""
    try:
        result = msgspec.json.decode(answer, type=_Result)
        if result.status == "SUCCESS":
            return msgspec.json.decode(result.result, type=_Put).data
        failure = msgspec.json.decode(result.result, type=_Failure)
    except msgspec.DecodeError as error:
        raise BrokerUnavailable(f"What came as the answer is not ours: {error}") from error
    reason, _, sentence = "".join(failure.exc_message[:1]).partition(": ")
    return reason, sentence
