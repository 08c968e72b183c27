"""What a Meilisearch server and the way to it say, as our errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

from httpx2 import HTTPError, HTTPStatusError
from meilisearch_python_sdk.errors import MeilisearchApiError, MeilisearchError

from shared.errors import ForebayError, NotFound
from shared.search.vector_store import StoreBusy, StoreRefused, StoreUnavailable

# What the client lets through of bytes that are no JSON, of an answer that has another form, and
# of several ways to one host that all fail.
_NO_ANSWER: Final = (
    MeilisearchError,
    HTTPError,
    ValueError,
    TypeError,
    LookupError,
    ExceptionGroup,
)
_FULL_QUEUE: Final = "too_many_search_requests"  # comes with 503


@asynccontextmanager
async def asking(seconds: float, generation: str = "") -> AsyncIterator[None]:
    """Gives what is asked so long, and raises one of ours for what the client raises."""
    try:
        async with asyncio.timeout(seconds):  # the client's own is for each read alone
            yield
    except (MeilisearchApiError, HTTPStatusError) as error:
        raise _of_answer(error, generation) from error
    except TimeoutError as error:
        raise StoreUnavailable(f"Meilisearch did not answer within {seconds:g} s.") from error
    except _NO_ANSWER as error:
        said = f"Meilisearch does not answer as it should: {error!r:.300}"
        raise StoreUnavailable(said) from error


def of_failure(error: Mapping[str, Any] | None, generation: str) -> ForebayError:
    """Of a task that failed; the sentence is the server's."""
    told = error or {}
    message = f"Meilisearch could not do it: {told.get('message') or 'it does not say why'!s:.300}"
    if told.get("code") == "index_not_found":
        return _no_generation(generation)
    if told.get("type") in ("internal", "system"):  # of the machine: a full disk, too many files
        return StoreUnavailable(message)
    return StoreRefused(message)


def _of_answer(error: MeilisearchApiError | HTTPStatusError, generation: str) -> ForebayError:
    told = error if isinstance(error, MeilisearchApiError) else None
    answered = error.__cause__ if told else error
    if not isinstance(answered, HTTPStatusError):
        return StoreUnavailable(f"Meilisearch does not answer as it should: {error!r:.300}")
    status, code = answered.response.status_code, told.code if told else ""
    said = f"Meilisearch answered {status}: {answered.response.text:.300}"
    if code == "index_not_found":
        return _no_generation(generation)
    later = _seconds(answered.response.headers.get("Retry-After"))
    if status == HTTPStatus.TOO_MANY_REQUESTS or code == _FULL_QUEUE:
        return StoreBusy(said, retry_after_seconds=later)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return StoreUnavailable(said, retry_after_seconds=later)
    return StoreRefused(said)


def _no_generation(name: str) -> NotFound:
    return NotFound(f"There is no generation {name}: create it first.", param="generation")


def _seconds(told: str | None) -> float | None:
    """Of `Retry-After`; one that is a date says nothing."""
    return float(told) if told and told.isascii() and told.isdigit() and len(told) < 7 else None
