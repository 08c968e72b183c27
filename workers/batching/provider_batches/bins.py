"""Batches in the making: the items of one model each, none larger than its provider takes."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.identifiers import PROVIDER_BATCH, new_id
from shared.messages.record import MessageRecord
from shared.persistence.ledger.worker_lease import Lease
from workers.batching.provider_batches.item_names import item_name
from workers.providers.batching.batch_provider import BatchedRequest, BatchProvider
from workers.providers.outcome import Declined
from workers.providers.provider import Prompt


def new_batch_id() -> str:
    """Of a provider's batch, as we know it; its messages are held under this name."""
    return new_id(PROVIDER_BATCH)


@dataclass(slots=True)
class BatchBin:
    """What one batch has come to so far."""

    id: str
    model: str
    requests: list[BatchedRequest] = field(default_factory=list)
    message_ids: list[str] = field(default_factory=list)
    size_bytes: int = 0
    tokens: int = 0


class BatchBins:
    """The first one has the id that its messages are held by already."""

    def __init__(self, provider: BatchProvider, *, first_id: str, most_bytes: int) -> None:
        self.made: list[BatchBin] = []
        self._provider = provider
        self._first_id = first_id
        self._most_bytes = most_bytes

    def put(self, record: MessageRecord, prompt: Prompt) -> bool:
        """Into the batch of its model that has room, or another; False where it is for none."""
        model, lease = self._provider.model_for(prompt.model), Lease(record.id, record.attempt)
        last = next((each for each in reversed(self.made) if each.model == model), None)
        chosen = last or self._another(model)
        request = self._provider.request(prompt, item_name(chosen.id, lease))
        if isinstance(request, Declined) or len(request.line) > self._most_bytes:
            return False
        if chosen.size_bytes + len(request.line) > self._most_bytes:
            chosen = self._another(model)
            # Its name says which batch it is in.
            again = self._provider.request(prompt, item_name(chosen.id, lease))
            request = request if isinstance(again, Declined) else again
        if chosen not in self.made:
            self.made.append(chosen)
        chosen.requests.append(request)
        chosen.message_ids.append(record.id)
        chosen.size_bytes += len(request.line) + 1
        chosen.tokens += prompt.tokens()
        return True

    def _another(self, model: str) -> BatchBin:
        return BatchBin(new_batch_id() if self.made else self._first_id, model)
