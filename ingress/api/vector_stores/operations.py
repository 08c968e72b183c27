"""The operations on vector stores, in one table."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.reference.operation import FIND_ERRORS, Operation, Tag
from ingress.api.vector_stores.file_batches import FileBatches
from ingress.api.vector_stores.file_object import (
    DeletedVectorStoreFile,
    FileBatch,
    FileContent,
    VectorStoreFile,
    VectorStoreFileList,
)
from ingress.api.vector_stores.store_files import StoreFiles
from ingress.api.vector_stores.store_object import (
    DeletedVectorStore,
    VectorStoreList,
    VectorStoreObject,
)
from ingress.api.vector_stores.store_paging import FILTER, PAGE
from ingress.api.vector_stores.store_requests import (
    AddFile,
    AddFiles,
    CreateVectorStore,
    UpdateFileAttributes,
    UpdateVectorStore,
)
from ingress.api.vector_stores.store_search import StoreSearch, StoreSearches, StoreSearchPage
from ingress.api.vector_stores.stores import VectorStores

_ALL: Final = "/v1/vector_stores"
_ONE: Final = f"{_ALL}/{{vector_store_id}}"
_FILES: Final = f"{_ONE}/files"
_FILE: Final = f"{_FILES}/{{file_id}}"
_BATCHES: Final = f"{_ONE}/file_batches"
_BATCH: Final = f"{_BATCHES}/{{batch_id}}"
_WRITING: Final = (400, 401, 403, 404, 413, 415, 503)
_REMOVING: Final = (401, 403, 404, 503)


def store_operations(stores: VectorStores) -> list[Operation]:
    """Vector stores."""
    row = partial(Operation, tag=Tag.VECTOR_STORES, answer=VectorStoreObject, errors=FIND_ERRORS)
    write = partial(row, "POST", errors=_WRITING)
    return [
        write(
            _ALL,
            stores.create,
            "Make a vector store",
            description="A vector store is a collection: both names lead to the same thing.",
            request=CreateVectorStore,
        ),
        row(
            "GET",
            _ALL,
            stores.list,
            "List vector stores",
            answer=VectorStoreList,
            parameters=PAGE,
        ),
        row("GET", _ONE, stores.retrieve, "Read what is known of a vector store"),
        write(_ONE, stores.update, "Change a vector store", request=UpdateVectorStore),
        row(
            "DELETE",
            _ONE,
            stores.delete,
            "Delete a vector store",
            description="No search finds anything in it from here on. Its files stay.",
            answer=DeletedVectorStore,
            errors=_REMOVING,
        ),
    ]


def store_search_operations(searches: StoreSearches) -> list[Operation]:
    """Their search."""
    return [
        Operation(
            "POST",
            f"{_ONE}/search",
            searches.search,
            "Search a vector store",
            tag=Tag.VECTOR_STORES,
            description="A search counts as a message does: one request of the tenant's, with the "
            "tokens of its question, for each question.",
            request=StoreSearch,
            answer=StoreSearchPage,
            errors=(*_WRITING, 429),
        )
    ]


def store_file_operations(files: StoreFiles) -> list[Operation]:
    """Files of vector stores."""
    row = partial(Operation, tag=Tag.VECTOR_STORES, answer=VectorStoreFile, errors=FIND_ERRORS)
    write = partial(row, "POST", errors=_WRITING)
    return [
        write(
            _FILES,
            files.create,
            "Put a file into a vector store",
            description="Its purpose is `assistants` or `user_data`. It is searched once its "
            "status is `completed`.",
            request=AddFile,
        ),
        row(
            "GET",
            _FILES,
            files.list,
            "List the files of a vector store",
            answer=VectorStoreFileList,
            parameters=(*PAGE, FILTER),
        ),
        row("GET", _FILE, files.retrieve, "Read how far a file is"),
        write(
            _FILE,
            files.update,
            "Say other attributes of a file",
            request=UpdateFileAttributes,
        ),
        row(
            "DELETE",
            _FILE,
            files.delete,
            "Take a file out of a vector store",
            answer=DeletedVectorStoreFile,
            errors=_REMOVING,
        ),
        _content_operation(files),
    ]


def _content_operation(files: StoreFiles) -> Operation:
    return Operation(
        "GET",
        f"{_FILE}/content",
        files.content,
        "Read the text that was found in a file",
        tag=Tag.VECTOR_STORES,
        answer=FileContent,
        errors=FIND_ERRORS,
    )


def file_batch_operations(batches: FileBatches) -> list[Operation]:
    """Batches of files."""
    row = partial(Operation, tag=Tag.VECTOR_STORES, answer=FileBatch, errors=FIND_ERRORS)
    write = partial(row, "POST", errors=_WRITING)
    return [
        write(
            _BATCHES,
            batches.create,
            "Put many files into a vector store",
            request=AddFiles,
        ),
        row("GET", _BATCH, batches.retrieve, "Read how far a batch is"),
        write(
            f"{_BATCH}/cancel",
            batches.cancel,
            "Leave out what of a batch is not indexed yet",
            errors=_REMOVING,
        ),
        row(
            "GET",
            f"{_BATCH}/files",
            batches.files,
            "List the files of a batch",
            answer=VectorStoreFileList,
            parameters=(*PAGE, FILTER),
        ),
    ]
