"""A provider that takes requests in batches, whatever its API calls them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

from workers.providers.failures import ProviderError
from workers.providers.outcome import Answer, Declined
from workers.providers.provider import Prompt


class ProviderBatchState(StrEnum):
    """running ──► ended | failed. What has ended has results, though perhaps not of every item."""

    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"
    """Nothing of it was run."""


class BatchLook(msgspec.Struct, frozen=True, kw_only=True):
    """How far a batch is; one that does not count while it runs tells zeros until it ends."""

    state: ProviderBatchState
    completed: int = 0
    failed: int = 0
    reason: str = ""
    """Why nothing or not all of it was run, in the provider's words."""


class BatchedRequest(NamedTuple):
    """One item, as it is sent."""

    custom_id: str
    line: bytes


class BatchResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item: it was answered, it failed, or it was never run."""

    custom_id: str
    body: Mapping[str, object] | None = None
    """What a call of its own would have been answered."""
    error: ProviderError | None = None
    unrun: str = ""
    """Why it was not run; nothing is charged for it."""


class BatchProvider(Protocol):
    """Hands over, looks, collects and cancels. Each call is made once and raises a ProviderError;
    whether and when to try again is its caller's matter.
    """

    name: str

    def model_for(self, requested: str) -> str:
        """The model that would be asked for the requested name or alias."""

    def request(self, prompt: Prompt, custom_id: str) -> BatchedRequest | Declined:
        """The item that asks the prompt, made as a call of its own would be; or why not."""

    async def submit(self, requests: Sequence[BatchedRequest], *, key: str) -> str:
        """Hand them over as one batch, all of one model; its id at the provider.

        After a failure it may have been taken all the same: `find` says so where `key` can be
        given along.
        """

    async def find(self, key: str) -> str | None:
        """The id of the batch that was handed over under that key; None where there is none, or
        the API has no place for a key."""

    async def look(self, batch_id: str) -> BatchLook:
        """How far it is."""

    def results(self, batch_id: str) -> AsyncIterator[BatchResult]:
        """What became of its items, in any order, once it has ended.

        What comes may be of nobody's item, or come twice. Raises ProviderError where the results
        cannot be read to their end; what came before stands.
        """

    async def cancel(self, batch_id: str) -> None:
        """Have no more of it run; it ends soon after. One that has ended stays as it is."""

    def read(self, prompt: Prompt, body: Mapping[str, object]) -> Answer:
        """The answer in a result's body, at the price of a batch; raises ProviderError."""
