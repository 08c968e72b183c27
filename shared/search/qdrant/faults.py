"""What a Qdrant server and the way to it say, as our errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from shared.errors import Conflict, ForebayError, NotFound
from shared.search.vector_store import StoreBusy, StoreRefused, StoreUnavailable

# What the client lets through of bytes that are no JSON, of a result that is missing, and of a
# `Retry-After` that is a date.
_NO_ANSWER: Final = (ResponseHandlingException, ValueError, AssertionError, QdrantException)


@asynccontextmanager
async def asking(seconds: float, generation: str = "") -> AsyncIterator[None]:
    """Gives what is asked so long, and raises one of ours for what the client raises."""
    try:
        async with asyncio.timeout(seconds):  # the client's own is for each read alone
            yield
    except ResourceExhaustedResponse as error:
        raise StoreBusy(f"Qdrant: {error}", retry_after_seconds=error.retry_after_s) from error
    except UnexpectedResponse as error:
        raise _of_status(error, generation) from error
    except TimeoutError as error:
        raise StoreUnavailable(f"Qdrant did not answer within {seconds:g} s.") from error
    except _NO_ANSWER as error:
        said = getattr(error, "source", None) or error
        raise StoreUnavailable(f"Qdrant does not answer as it should: {said!r:.300}") from error


def _of_status(error: UnexpectedResponse, generation: str) -> ForebayError:
    status = error.status_code or 0
    said = error.content.decode(errors="replace")[:300]
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(
            f"There is no generation {generation}: create it first.", param="generation"
        )
    if status == HTTPStatus.CONFLICT:
        return Conflict(f"Qdrant: {said}")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return StoreBusy(f"Qdrant is busy: {said}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return StoreUnavailable(f"Qdrant answered {status}: {said}")
    return StoreRefused(f"Qdrant answered {status}: {said}")
