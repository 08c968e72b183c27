"""What is told about a running system, and to whom."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.settings.secret import Secret
from shared.settings.units import Positive, Share


class LogLevel(StrEnum):
    """From which severity on a line is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """For machines or for people."""

    JSON = "json"
    TEXT = "text"


class TelemetrySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Logs, traces."""

    traces_endpoint: str | None = None
    """OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; unset is off."""
    sample_ratio: Share = 1.0
    """The part of all traces that is recorded."""
    pseudonym_key_env: str | None = None
    """The variable whose value is the key of the names that users have in traces."""
    pseudonym_key_file: str | None = None
    """The file whose text is that key. With neither, traces say nothing of users."""
    pseudonym_key: Secret | None = None
    """Filled when traces are opened; refused in the file."""
    log_level: LogLevel = LogLevel.INFO
    """The least severity that is written."""
    log_format: LogFormat = LogFormat.JSON
    """For machines or for people."""
    blocked_loop_seconds: Positive = 1.0
    """One piece of code that holds a process's event loop for longer is named in its log."""
