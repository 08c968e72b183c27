"""A server that answers as Qdrant describes its API, and holds what it is sent against that."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from tests.integration.search.described_server import Body, DescribedServer, contract

URI: Final = "urn:qdrant"


def qdrant_contract() -> dict[str, Any]:
    """The description that lies beside this repository; skips the test where none does."""
    return contract("qdrant-1.19.openapi.json")


class QdrantStub(DescribedServer):
    """Keeps collections as they were made, and answers queries with what a test put in."""

    def __init__(self, contract: dict[str, Any], *, version: str) -> None:
        super().__init__(contract, URI)
        self.version = version
        self.found: list[list[dict[str, Any]]] = []
        """What each query of the next batch finds."""
        self.collections: dict[str, dict[str, Any]] = {}

    def told(self, request: web.Request, body: Body) -> tuple[int, Body]:
        answer = self._told(request, body)
        if answer is None:
            return 404, {"status": {"error": "Not found"}, "time": 0.0}
        return 200, answer

    def _told(self, request: web.Request, body: Body) -> Body:
        """The whole answer, or nothing where the collection is not there."""
        match request.path.strip("/").split("/"), request.method:
            case [""], "GET":
                return {"title": "qdrant", "version": self.version}
            case ["collections"], "GET":
                return _result({"collections": [{"name": name} for name in self.collections]})
            case ["collections", name], "PUT":
                self.collections[name] = body
                return _result(True)
            case ["collections", name], "DELETE":
                return _result(self.collections.pop(name, None) is not None)
            case ["collections", name, *_], _ if name not in self.collections:
                return None
            case ["collections", name], "GET":
                return _result(_collection(self.collections[name]))
            case [*_, "count"], _:
                return _result({"count": 7})
            case [*_, "scroll"], _:
                ids = [{"id": each} for each in (FIRST, SECOND)]
                return _result({"points": ids, "next_page_offset": FIRST})
            case [*_, "query", "batch"], _:
                return _result([{"points": points} for points in self.found])
            case [*_, "points", "batch"], _:
                return _result([_UPDATED for _ in body["operations"]])
        return _result(_UPDATED)


FIRST: Final = "00000000-0000-4000-8000-000000000001"
SECOND: Final = "00000000-0000-4000-8000-000000000002"
_UPDATED: Final = {"operation_id": 1, "status": "completed"}


def _result(value: Body) -> Body:
    return {"result": value, "status": "ok", "time": 0.001}


def _collection(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "status": "green",
        "optimizer_status": "ok",
        "points_count": 7,
        "segments_count": 1,
        "payload_schema": {},
        "config": {
            "params": {"vectors": made["vectors"]},
            "hnsw_config": {"m": 16, "ef_construct": 128, "full_scan_threshold": 10000},
            "optimizer_config": {
                "deleted_threshold": 0.2,
                "vacuum_min_vector_number": 1000,
                "default_segment_number": 0,
                "flush_interval_sec": 5,
            },
            "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
        },
    }
