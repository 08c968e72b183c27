"""What watches over the door and explains it, in one table."""

from __future__ import annotations

from ingress.api.health import HealthRoutes, Liveness, Readiness
from ingress.api.reference.docs import Docs
from ingress.api.reference.operation import Operation, Tag


def health_operations(health: HealthRoutes) -> list[Operation]:
    """Health."""
    return [
        Operation(
            method="GET",
            path="/livez",
            endpoint=health.alive,
            tag=Tag.HEALTH,
            summary="Does the process run?",
            answer=Liveness,
            secured=False,
        ),
        Operation(
            method="GET",
            path="/readyz",
            endpoint=health.ready,
            tag=Tag.HEALTH,
            summary="Can messages be committed?",
            answer=Readiness,
            secured=False,
        ),
        Operation(
            method="GET",
            path="/metrics",
            endpoint=health.metrics,
            tag=Tag.HEALTH,
            summary="Metrics for Prometheus",
            description="From this machine without a key, from elsewhere with an admin key.",
            answer_type="text/plain",
            errors=(401, 403),
        ),
    ]


def docs_operations(docs: Docs) -> list[Operation]:
    """Documentation."""
    return [
        Operation(
            method="GET",
            path="/openapi.json",
            endpoint=docs.openapi,
            tag=Tag.DOCUMENTATION,
            summary="This document",
            secured=False,
        ),
        Operation(
            method="GET",
            path="/docs",
            endpoint=docs.page,
            tag=Tag.DOCUMENTATION,
            summary="This document as a page",
            answer_type="text/html",
            secured=False,
        ),
        Operation(
            method="GET",
            path="/docs/{name}",
            endpoint=docs.asset,
            tag=Tag.DOCUMENTATION,
            summary="The page's script and style",
            answer_type="text/plain",
            errors=(404,),
            secured=False,
        ),
    ]
