"""What a message gives to the queries of fact sources."""

from __future__ import annotations

from typing import Final

from shared.settings.turn.fact_source import BOUND_NAME, PLACEHOLDER, FactSourceSettings
from workers.fact_sources.source import Parameters
from workers.turn import Turn

_METADATA: Final = "metadata_"


def parameters_of(turn: Turn) -> Parameters:
    """Everything that a query may name; what the message lacks is not there."""
    record = turn.record
    named = {
        "tenant_id": record.tenant_id,
        "user_id": record.user_id,
        "conversation_id": record.conversation_id,
    }
    metadata = turn.body.metadata or {}
    attached = {f"{_METADATA}{key}": value for key, value in metadata.items()}
    return attached | {name: value for name, value in named.items() if value}


def needed_by(source: FactSourceSettings) -> frozenset[str]:
    """The parameters that the source's query, URL or body names."""
    bound = BOUND_NAME.findall(source.query or "")
    placed = PLACEHOLDER.findall(f"{source.url or ''} {source.body or ''}")
    return frozenset(bound if source.query else placed)
