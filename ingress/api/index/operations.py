"""Our own operations on the index, in one table."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.index.collection_object import (
    CollectionFreshnessObject,
    CollectionList,
    CollectionObject,
    CollectionStats,
    CreateCollection,
    DeletedCollection,
    UpdateCollection,
)
from ingress.api.index.collections import CollectionEndpoints
from ingress.api.index.documents import DeletedDocument, DocumentEndpoints
from ingress.api.index.found_passages import SearchAnswerObject
from ingress.api.index.index_jobs import IndexJobEndpoints
from ingress.api.index.job_object import IndexJobList, IndexJobObject, SkippedFileList
from ingress.api.index.search import SearchEndpoint, SearchQuestion
from ingress.api.reference.operation import Operation, Parameter, Tag
from shared.accepting.document_object import DocumentList, DocumentObject
from shared.messages.requests.post_documents import PostDocuments

_COLLECTIONS: Final = "/v1/collections"
_COLLECTION: Final = f"{_COLLECTIONS}/{{collection}}"
_DOCUMENTS: Final = "/v1/documents"
_DOCUMENT: Final = f"{_DOCUMENTS}/{{document_id}}"
_JOBS: Final = "/v1/index/jobs"
_JOB: Final = f"{_JOBS}/{{job_id}}"
_FINDING: Final = (400, 401, 404, 409, 503)
_WRITING: Final = (400, 401, 403, 404, 409, 413, 415, 503)
_REMOVING: Final = (400, 401, 403, 404, 409, 503)
_PAGE: Final = (
    Parameter("limit", "query", "integer", "1 to 1,000, 100 unless it is given."),
    Parameter("order", "query", "string", "By id.", pattern="^(asc|desc)$"),
    Parameter("after", "query", "string", "The id of the last one that you have."),
)
_WHOSE: Final = Parameter(
    "collection", "query", "string", "Its name or its id; it has to be there."
)


def collection_operations(collections: CollectionEndpoints) -> list[Operation]:
    """Collections, by their ids or their names."""
    row = partial(Operation, tag=Tag.INDEX, answer=CollectionObject, errors=_WRITING)
    return [
        row(
            "POST",
            _COLLECTIONS,
            collections.create,
            "Make a collection",
            description="A collection is a vector store: both names lead to the same thing.",
            request=CreateCollection,
        ),
        row(
            "PATCH",
            _COLLECTION,
            collections.update,
            "Change a collection",
            request=UpdateCollection,
        ),
        row(
            "DELETE",
            _COLLECTION,
            collections.delete,
            "Delete a collection and all that is in it",
            answer=DeletedCollection,
            errors=_REMOVING,
        ),
        row(
            "POST",
            f"{_COLLECTION}/swap",
            collections.swap,
            "Search the generation that was built beside it",
            errors=_REMOVING,
        ),
        *_collection_readings(collections),
    ]


def _collection_readings(collections: CollectionEndpoints) -> list[Operation]:
    read = partial(Operation, "GET", tag=Tag.INDEX, errors=_FINDING)
    return [
        read(
            _COLLECTIONS,
            collections.list,
            "List collections",
            answer=CollectionList,
            parameters=_PAGE,
        ),
        read(
            _COLLECTION,
            collections.retrieve,
            "Read what is known of a collection",
            answer=CollectionObject,
        ),
        read(
            f"{_COLLECTION}/stats",
            collections.stats,
            "Count its documents by their states",
            answer=CollectionStats,
        ),
        read(
            f"{_COLLECTION}/freshness",
            collections.freshness,
            "Read up to what its sources are indexed",
            answer=CollectionFreshnessObject,
        ),
    ]


def document_operations(documents: DocumentEndpoints) -> list[Operation]:
    """Documents of a collection."""
    row = partial(Operation, tag=Tag.INDEX, errors=_FINDING)
    one = partial(row, parameters=(_WHOSE,))
    return [
        row(
            "POST",
            _DOCUMENTS,
            documents.create,
            "Put documents into a collection",
            description="They are searched once their `state` is `completed`. The same document "
            "again is left as it is, another under the same path replaces it.",
            request=PostDocuments,
            answer=DocumentList,
            errors=_WRITING,
        ),
        row(
            "GET",
            _DOCUMENTS,
            documents.list,
            "List the documents of a collection",
            answer=DocumentList,
            parameters=(
                _WHOSE,
                Parameter("state", "query", "string", "Only those in this state."),
                Parameter("source", "query", "string", "Only those of this source."),
                *_PAGE,
            ),
        ),
        one("GET", _DOCUMENT, documents.retrieve, "Read how far one is", answer=DocumentObject),
        one(
            "DELETE",
            _DOCUMENT,
            documents.delete,
            "Take a document out of a collection",
            answer=DeletedDocument,
            errors=_REMOVING,
        ),
    ]


def job_operations(jobs: IndexJobEndpoints) -> list[Operation]:
    """Jobs, which are begun where their sources are."""
    row = partial(Operation, tag=Tag.INDEX, answer=IndexJobObject, errors=_REMOVING)
    return [
        row(
            "GET",
            _JOBS,
            jobs.list,
            "List the jobs of the index",
            answer=IndexJobList,
            parameters=(_WHOSE, *_PAGE[::2]),
        ),
        row(
            "GET",
            _JOB,
            jobs.retrieve,
            "Read how far a job is, or follow it",
            streams=IndexJobObject,
            parameters=(Parameter("stream", "query", "boolean", "Follow it until its end."),),
        ),
        row(
            "GET",
            f"{_JOB}/skipped",
            jobs.skipped,
            "List what a job left out",
            answer=SkippedFileList,
            parameters=_PAGE[::2],
        ),
        row("POST", f"{_JOB}/cancel", jobs.cancel, "Cancel a job"),
    ]


def search_operations(search: SearchEndpoint) -> list[Operation]:
    """Search in our own words."""
    return [
        Operation(
            "POST",
            "/v1/search",
            search.search,
            "Search collections",
            tag=Tag.INDEX,
            description="Names the legs that were asked and what became of each, and up to what "
            "every collection is indexed. Counts as a message does: one request of the tenant's, "
            "with the tokens of its question.",
            request=SearchQuestion,
            answer=SearchAnswerObject,
            errors=(400, 401, 403, 404, 409, 413, 415, 429, 503),
        )
    ]
