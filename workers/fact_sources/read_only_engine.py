"""A database that a source may read and can never write, each statement bounded in time."""

from __future__ import annotations

import time
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.settings.turn.fact_source import FactSourceSettings

_HEAD_START: Final = 0.9
"""The database ends a statement by itself a little before we would give it up: that leaves the
connection whole.
"""
_STEPS_BETWEEN_LOOKS: Final = 10_000
"""Of SQLite's virtual machine: well under a millisecond."""


def open_read_only(settings: FactSourceSettings) -> AsyncEngine:
    """An engine for the source's address; nothing connects before it is needed."""
    url = make_url(settings.url or "")
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, settings)
    milliseconds = max(1, int(settings.timeout_seconds * _HEAD_START * 1000))
    return create_async_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.timeout_seconds,
        hide_parameters=True,
        connect_args={
            "connect_timeout": max(2, int(settings.timeout_seconds)),
            "options": "-c default_transaction_read_only=on "
            f"-c statement_timeout={milliseconds} "
            f"-c idle_in_transaction_session_timeout={milliseconds * 10}",
            "tcp_user_timeout": milliseconds * 2,
            "application_name": f"forebay facts {settings.name}"[:63],
        },
    )


def _sqlite(url: URL, settings: FactSourceSettings) -> AsyncEngine:
    address = url.set(
        # A file that is not there is an error and not an empty database.
        database=f"file:{quote(url.database or '')}",
        query={**url.query, "mode": "ro", "uri": "true"},
    )
    engine = create_async_engine(
        address,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.timeout_seconds,
        hide_parameters=True,
        connect_args={"timeout": settings.timeout_seconds},
    )
    _bound_in_time(engine, settings.timeout_seconds * _HEAD_START)
    return engine


def _bound_in_time(engine: AsyncEngine, seconds: float) -> None:
    """SQLite knows no time limit, so it is asked to look at the clock now and then."""

    @event.listens_for(engine.sync_engine, "connect")
    def _watch(connection: Any, record: Any) -> None:
        def is_late() -> bool:
            until: float = record.info.get("until", float("inf"))
            return time.monotonic() > until

        connection.run_async(
            lambda driver: driver.set_progress_handler(is_late, _STEPS_BETWEEN_LOOKS)
        )

    @event.listens_for(engine.sync_engine, "checkout")
    def _start(connection: Any, record: Any, proxy: Any) -> None:  # noqa: ARG001
        record.info["until"] = time.monotonic() + seconds
