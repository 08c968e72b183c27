"""What watches over the door and explains it, in one table."""

from __future__ import annotations

from functools import partial
from typing import Final

from ingress.api.health import HealthRoutes, Liveness, Readiness
from ingress.api.reference.docs import Docs
from ingress.api.reference.operation import Operation, Tag
from shared.status.system_state import SystemStatus

_TO_WATCHERS: Final = "From this machine without a key, from elsewhere with an admin key."


def health_operations(health: HealthRoutes) -> list[Operation]:
    """Health."""
    probe = partial(Operation, tag=Tag.HEALTH, secured=False)
    return [
        probe("GET", "/livez", health.alive, "Does the process run?", answer=Liveness),
        probe("GET", "/readyz", health.ready, "Can messages be committed?", answer=Readiness),
        Operation(
            "GET",
            "/status",
            health.status,
            "In what state is the system, and why?",
            tag=Tag.HEALTH,
            description=_TO_WATCHERS,
            answer=SystemStatus,
            errors=(401, 403),
        ),
        Operation(
            "GET",
            "/metrics",
            health.metrics,
            "Metrics for Prometheus",
            tag=Tag.HEALTH,
            description=_TO_WATCHERS,
            answer_type="text/plain",
            errors=(401, 403),
        ),
    ]


def docs_operations(docs: Docs) -> list[Operation]:
    """Documentation."""
    page = partial(Operation, tag=Tag.DOCUMENTATION, secured=False)
    asset = partial(page, answer_type="text/plain", errors=(404,))
    return [
        page("GET", "/openapi.json", docs.openapi, "This document"),
        page("GET", "/docs", docs.page, "This document as a page", answer_type="text/html"),
        asset("GET", "/docs/{name}", docs.asset, "The page's script and style"),
    ]
