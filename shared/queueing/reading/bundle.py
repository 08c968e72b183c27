"""Several tasks in one message of the broker: a bundle.

It is the message of its first task. The others stand in the options of its body, which whoever does
not know bundles reads past: a plain Celery worker runs the first task and acknowledges.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from shared.queueing.envelope import BUNDLE_MARK
from shared.queueing.parcel import Parcel
from shared.queueing.reading.delivery import Delivery

_LIMIT_BYTES: Final = 1_048_576
_TRACE: Final = ("traceparent", "tracestate", "baggage")
_json: Final = msgspec.json.Encoder()


class _Options(msgspec.Struct):
    bundle: list[tuple[str, dict[str, Any], dict[str, Any]]]
    """Of each further task its id, its keyword arguments and its trace."""
    callbacks: None = None
    errbacks: None = None
    chain: None = None
    chord: None = None


_triple: Final = msgspec.json.Decoder(tuple[list[Any], dict[str, Any], _Options])


class BundledTask(NamedTuple):
    """A task of a bundle as it would have come alone."""

    headers: dict[str, Any]
    kwargs: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.headers["id"])

    @property
    def body(self) -> bytes:
        return _json.encode([[], self.kwargs, {}])

    def alone(self, queue: str) -> Parcel:
        """Its message without the others, for a queue."""
        return Parcel(queue=queue, body=self.body, identifier=self.id, headers=self.headers)


def unbundled(headers: Mapping[str, Any], body: object) -> list[BundledTask]:
    """The tasks of a bundle, in order; empty where the message is none. Never raises."""
    if not isinstance(body, bytes) or BUNDLE_MARK not in body or len(body) > _LIMIT_BYTES:
        return []
    try:
        args, kwargs, options = _triple.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    if args or not isinstance(headers.get("id"), str):
        return []
    # What a broker adds tells of the bundle, and a trace of its first task.
    same = {
        name: value
        for name, value in headers.items()
        if not (name in _TRACE or name == "redelivered" or name.startswith("x-"))
    }
    return [
        BundledTask({**same, "id": identifier, "root_id": identifier, **_trace_of(trace)}, kwargs)
        for identifier, kwargs, trace in [(headers["id"], kwargs, headers), *options.bundle]
    ]


def deliveries_of(delivery: Delivery) -> list[Delivery]:
    """One for each task, with what the broker says of all of them; what is no bundle as it is."""
    told = {name: each for name, each in delivery.headers.items() if name.startswith("x-")}
    return [
        msgspec.structs.replace(delivery, body=task.body, headers=told | task.headers)
        for task in unbundled(delivery.headers, delivery.body)
    ] or [delivery]


def _trace_of(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: headers[name] for name in _TRACE if name in headers}
