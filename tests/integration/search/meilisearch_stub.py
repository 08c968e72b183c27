"""A server that answers as Meilisearch describes its API, and keeps what it is sent.

It keeps documents and decides filters, so that what the store promises of tenants and versions is
seen; which words it finds and in which order is no promise of Meilisearch's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import web

from tests.integration.search.described_server import Body, DescribedServer, contract
from tests.integration.search.meilisearch_filters import holds

URI: Final = "urn:meilisearch"
_NOW: Final = "2026-11-29T17:00:00Z"
_FIELDS: Final = ("symbol", "header", "identifiers", "body")
Documents = dict[str, dict[str, Any]]
Refusal = Callable[[], web.Response | None]


def meilisearch_contract() -> dict[str, Any]:
    """The description that lies beside this repository; skips the test where none does."""
    return contract("meilisearch.openapi.json")


class KeptIndex(msgspec.Struct):
    primary_key: str | None = None
    settings: dict[str, Any] = {}
    documents: Documents = {}


class MeilisearchStub(DescribedServer):
    """Does each write at once, and tells of its task what a test wants told."""

    def __init__(self, described: dict[str, Any]) -> None:
        super().__init__(described, URI)
        self.indexes: dict[str, KeptIndex] = {}
        self.tasks: list[dict[str, Any]] = []
        self.ending: Callable[[dict[str, Any]], dict[str, Any]] = lambda task: task
        """What is told of a task whenever it is asked for."""
        self.failure: dict[str, Any] | None = None
        """Of the next write, which then does nothing."""
        self.overridden: Callable[[str, Body], Body | None] = lambda path, told: None
        """An answer in place of the right one, by path."""

    def told(self, request: web.Request, body: Body) -> tuple[int, Body]:
        match request.path.strip("/").split("/"), request.method:
            case ["tasks", number], "GET":
                if int(number) >= len(self.tasks):
                    return 404, _error("task_not_found", f"Task `{number}` not found.")
                return 200, self.ending(self.tasks[int(number)])
            case ["indexes"], "GET":
                return 200, self._page(request)
            case ["indexes"], "POST":
                return 202, self._task("indexCreation", body["uid"], self._create, body)
            case ["indexes", name], "DELETE":
                return 202, self._task("indexDeletion", name, self._delete_index, name)
            case ["indexes", name, "settings"], "PATCH":
                kept = self.indexes.setdefault(name, KeptIndex())
                return 202, self._task("settingsUpdate", name, kept.settings.update, body)
            case ["indexes", name, "documents"], "POST":
                kept = self.indexes.setdefault(name, KeptIndex())
                return 202, self._task(
                    "documentAdditionOrUpdate",
                    name,
                    kept.documents.update,
                    {each[request.query["primaryKey"]]: each for each in body},
                )
            case ["indexes", name, *_], _ if name not in self.indexes:
                return 404, _error("index_not_found", f"Index `{name}` not found.")
            case ["indexes", name], "GET":
                return 200, _index(name, self.indexes[name])
            case ["indexes", name, "documents", "delete"], "POST":
                return 202, self._task("documentDeletion", name, self._delete, name, body["filter"])
            case ["indexes", name, "documents", "fetch"], "POST":
                return 200, self._fetched(name, body)
        return 200, self._searched(request.path.split("/")[2], body)

    def _task(
        self, kind: str, name: str, work: Callable[..., object], *given: object
    ) -> dict[str, Any]:
        failure, self.failure = self.failure, None
        number = len(self.tasks)
        error = failure or work(*given)
        status = "failed" if isinstance(error, dict) else "succeeded"
        task = {"uid": number, "indexUid": name, "status": status, "type": kind, "enqueuedAt": _NOW}
        self.tasks.append(task | {"error": error if status == "failed" else None})
        told = {key: value for key, value in task.items() if key != "uid"}
        return told | {"taskUid": number, "status": "enqueued"}

    def _create(self, body: Body) -> object:
        if body["uid"] in self.indexes:
            return _error("index_already_exists", f"Index `{body['uid']}` already exists.")
        self.indexes[body["uid"]] = KeptIndex(primary_key=body.get("primaryKey"))
        return None

    def _delete_index(self, name: str) -> object:
        if self.indexes.pop(name, None) is None:
            return _error("index_not_found", f"Index `{name}` not found.")
        return None

    def _delete(self, name: str, asked: str) -> None:
        for found in self._chosen(name, asked):
            del self.indexes[name].documents[found["id"]]

    def _page(self, request: web.Request) -> Body:
        start, most = int(request.query.get("offset", 0)), int(request.query.get("limit", 20))
        every = [_index(name, kept) for name, kept in sorted(self.indexes.items())]
        page = {"offset": start, "limit": most, "total": len(every)}
        return page | {"results": every[start : start + most]}

    def _fetched(self, name: str, body: Body) -> Body:
        found = self._chosen(name, body.get("filter"))
        if body.get("ids") is not None:
            found = [each for each in found if each["id"] in body["ids"]]
        page = {"offset": body["offset"], "limit": body["limit"], "total": len(found)}
        some = found[body["offset"] : body["offset"] + body["limit"]]
        kept = [_only(each, body["fields"]) for each in some]
        return self._told_instead("fetch", page | {"results": kept})

    def _searched(self, name: str, body: Body) -> Body:
        self.faults += [
            f"no search option {option}"
            for option in body.keys() - self.described["SearchQuery"]["properties"].keys()
        ]
        words = body["q"].lower().split()
        hits = []
        for each in self._chosen(name, body["filter"]):
            places = {field: _places(each[field] or "", words) for field in _FIELDS}
            text = " ".join(each[field] or "" for field in _FIELDS).lower()
            score = sum(word in text for word in words) / len(words)
            if score:
                read = _only(each, body["attributesToRetrieve"])
                hits.append(read | {"_rankingScore": score, "_matchesPosition": places})
        told = {"hits": hits[: body["limit"]], "query": body["q"], "processingTimeMs": 1}
        page = {"limit": body["limit"], "offset": 0, "estimatedTotalHits": len(hits)}
        return self._told_instead("search", told | page)

    def _told_instead(self, call: str, told: Body) -> Body:
        instead = self.overridden(call, told)
        return told if instead is None else instead

    def _chosen(self, name: str, asked: str | None) -> list[dict[str, Any]]:
        every = self.indexes[name].documents.values()
        return [each for each in every if holds(each, asked)]


def _places(text: str, words: list[str]) -> list[dict[str, int]]:
    """In bytes, as Meilisearch counts."""
    data = text.lower().encode()
    return [
        {"start": found.start(), "length": len(found[0])}
        for word in words
        for found in re.finditer(re.escape(word.encode()), data)
    ]


def _only(document: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    return {name: document[name] for name in fields if name in document}


def _index(name: str, kept: KeptIndex) -> dict[str, Any]:
    known = {"uid": name, "primaryKey": kept.primary_key}
    return known | {"createdAt": _NOW, "updatedAt": _NOW}


def _error(code: str, message: str) -> dict[str, Any]:
    link = f"https://docs.meilisearch.com/errors#{code}"
    return {"message": message, "code": code, "type": "invalid_request", "link": link}


def refused(status: int, code: str, headers: dict[str, str] | None = None) -> Refusal:
    told = {"message": "the disk is full", "code": code, "type": "system", "link": "https://x"}
    return lambda: web.json_response(told, status=status, headers=headers)


def in_turn(*refusals: Refusal | None) -> Refusal:
    """One for each request; none after the last."""
    left = list(refusals)

    def refusal() -> web.Response | None:
        each = left.pop(0) if left else None
        return each and each()

    return refusal
