"""One sink for every line: ours, Celery's, kombu's, uvicorn's, all structured, all redacted.

Lines go to stderr, stdout belongs to the commands' answers. Nothing here is global but the
standard library's root logger, which is where the foreign lines come from anyway.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TextIO

import msgspec

from shared.optional_packages import left_out
from shared.settings.telemetry import LogFormat, TelemetrySettings
from shared.telemetry.redaction import redact_fields
from shared.telemetry.tracing import current_trace

# It brings rich, and is needed by who writes lines alone: most commands never do.
if TYPE_CHECKING:
    from structlog.stdlib import ProcessorFormatter
    from structlog.typing import EventDict, Processor, WrappedLogger

_bound: ContextVar[Mapping[str, str] | None] = ContextVar("forebay_log_fields", default=None)

# These bring their own handlers, which would write the same line again and unredacted.
_WITH_OWN_HANDLERS: Final = ("uvicorn", "uvicorn.access", "uvicorn.error", "celery", "kombu")
# Below warning they tell of single frames and statements, parameters included.
_TALKATIVE: Final = (
    "aiosqlite",
    "amqp",
    "anthropic",
    "asyncio",
    "httpcore",
    "httpx",
    "openai",
    "sqlalchemy",
    "urllib3",
)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def configure_logs(settings: TelemetrySettings, stream: TextIO | None = None) -> None:
    """Send all logging of this process to `stream`, standard error unless given.

    Call once, first thing in an entry point; calling again replaces the sink. Servers must be
    told to leave logging alone: uvicorn by `log_config=None`, Celery by a receiver of its
    `setup_logging` signal.
    """
    sink = _Sink(sys.stderr if stream is None else stream)
    sink.setFormatter(_formatter(settings.log_format))
    root = logging.getLogger()
    root.handlers[:] = [sink]
    root.setLevel(settings.log_level.upper())
    for name in _WITH_OWN_HANDLERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(capture=True)


class Logger:
    """Takes an event and fields: `log.info("claimed", lane=lane)`.

    The event is a fixed phrase, what varies goes into fields. Fields named prompt, input,
    content, body or output never reach the sink.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **fields: object) -> None:
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        self._write(logging.ERROR, event, fields)

    def critical(self, event: str, **fields: object) -> None:
        self._write(logging.CRITICAL, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """An error, with the traceback of what is being caught."""
        self._write(logging.ERROR, event, {"exc_info": True, **fields})

    def _write(self, level: int, event: str, fields: dict[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, {"event": event, **fields}, extra=_OURS)


# By these names structlog's formatter knows a line whose message is an event with its fields.
_OURS: Final = {"_logger": None, "_name": None}


def get_logger(name: str) -> Logger:
    """The logger of a module, which gives its `__name__`."""
    return Logger(name)


def bind(*, message_id: str | None = None, tenant: str | None = None) -> BoundFields:
    """Put the message's id and its tenant's id on every line written inside, foreign ones too."""
    fields = {"message_id": message_id, "tenant": tenant}
    return BoundFields({name: value for name, value in fields.items() if value is not None})


class BoundFields:
    """The context of `bind`: no generator, for a worker opens one for each message."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields, self._previous = fields, _bound.get()

    def __enter__(self) -> None:
        _bound.set({**(self._previous or {}), **self._fields})

    def __exit__(self, *_: object) -> None:
        _bound.set(self._previous)


class _Sink(logging.StreamHandler[TextIO]):
    """Writes lines; a line that cannot be formatted is named, never dumped."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        # The inherited one prints the record's raw arguments, past the redactor.
        self.stream.write(f"A log line of {record.name} could not be written.\n")


def _formatter(log_format: LogFormat) -> ProcessorFormatter:
    with left_out("rich"):  # for tracebacks, which are written plainly here
        import structlog

    rendering: list[Processor] = [_to_json]
    if log_format is not LogFormat.JSON:
        rendering = [_on_one_line, structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)]
    return structlog.stdlib.ProcessorFormatter(
        processors=[_add_ids, structlog.processors.format_exc_info, _redact, *rendering]
    )


def _add_ids(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    trace = current_trace()
    ids = {} if trace is None else {"trace_id": trace.trace_id}
    return {**ids, **(_bound.get() or {}), **event}


def _redact(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    record: logging.LogRecord = event.pop("_record")
    del event["_from_structlog"]
    origin = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
    }
    # Named twice: once to stand first, once so that no field of a caller's replaces it.
    return {**origin, **redact_fields(event), **origin}


def _on_one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Escape what would forge a line or drive the terminal; a traceback keeps its own lines."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            event[key] = _CONTROL.sub(lambda found: repr(found.group())[1:-1], value)
    return event


def _to_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    return msgspec.json.encode(event).decode()
