"""What a request says in its headers: its type, its key, its deadline, its patience."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

from ingress.api.http.errors import HttpRefusal
from ingress.api.http.exchange import Exchange
from shared.accepting.arrival import ClientRetry
from shared.answer_cache.cache_control import HEADER as CACHE_CONTROL
from shared.answer_cache.cache_control import read_cache_control
from shared.clock import Clock
from shared.errors import InvalidRequest

LONGEST_IDEMPOTENCY_KEY: Final = 255
_MOST_DIGITS: Final = 4
_SCOPE_BYTES: Final = 12
LONGEST_DEADLINE_SECONDS: Final = 10 * 365 * 86_400
_WAIT: Final = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,9})\"?\s*(?=$|[,;])", re.IGNORECASE)


def require_json(exchange: Exchange) -> None:
    """Raises HttpRefusal (415) for a body that is not plain JSON in UTF-8."""
    declared = exchange.headers.get(b"content-type", b"")
    if declared != b"application/json":
        kind, _, parameters = declared.decode("latin-1").lower().partition(";")
        charset = parameters.replace('"', "").replace(" ", "").removeprefix("charset=")
        if kind.strip() != "application/json" or charset not in {"", "utf-8"}:
            raise HttpRefusal(
                415,
                "The body must be JSON in UTF-8. Send 'Content-Type: application/json'.",
                code="unsupported_media_type",
                param="Content-Type",
            )
    require_uncompressed(exchange)


def require_uncompressed(exchange: Exchange) -> None:
    """Raises HttpRefusal (415) for a body that would have to be unpacked."""
    if exchange.headers.get(b"content-encoding", b"identity") != b"identity":
        raise HttpRefusal(
            415,
            "Compressed bodies are not read. Send it without Content-Encoding.",
            code="unsupported_media_type",
            param="Content-Encoding",
        )


def idempotency_key(exchange: Exchange) -> str | None:
    """The caller's key for this message; raises InvalidRequest for one that cannot be kept."""
    key = exchange.header(b"idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= LONGEST_IDEMPOTENCY_KEY or not key.isprintable():
        raise InvalidRequest(
            f"'Idempotency-Key' must be 1 to {LONGEST_IDEMPOTENCY_KEY} printable characters.",
            param="Idempotency-Key",
        )
    return key


def client_retry(exchange: Exchange) -> ClientRetry | None:
    """What official clients say of their own repeats; None where nothing is said."""
    count = exchange.headers.get(b"x-stainless-retry-count")
    if count is None or not count.isdigit() or len(count) > _MOST_DIGITS:
        return None
    key = exchange.headers.get(b"authorization") or exchange.headers.get(b"x-api-key", b"")
    return ClientRetry(blake2b(key, digest_size=_SCOPE_BYTES).hexdigest(), int(count))


def deadline(exchange: Exchange, clock: Clock) -> datetime | None:
    """When nobody wants the answer any more: `X-Forebay-Deadline`.

    Seconds from now (`30`, `2.5`), or a time of ISO 8601 with its offset.
    """
    text = exchange.header(b"x-forebay-deadline")
    if text is None:
        return None
    try:
        return _after_seconds(float(text), clock)
    except ValueError:
        pass
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None else _no_deadline(text)
    except (ValueError, OverflowError):
        return _no_deadline(text)


def cache_control(exchange: Exchange) -> str | None:
    """What the message says about stored answers; raises InvalidRequest for what makes no sense."""
    words = exchange.header(b"cache-control")
    if words is None:
        return None
    read_cache_control(words, param=CACHE_CONTROL)
    return words


def wait_preference(exchange: Exchange) -> float | None:
    """The seconds of `Prefer: wait=N` (RFC 7240); what is malformed there is ignored."""
    prefer = exchange.headers.get(b"prefer")
    if prefer is None:
        return None
    found = _WAIT.search(prefer.decode("latin-1"))
    return None if found is None else float(found[1])


def _after_seconds(seconds: float, clock: Clock) -> datetime:
    if not math.isfinite(seconds) or seconds <= 0:
        return _no_deadline(str(seconds))
    # One that is too far away is refused as such a time is, which knows how far is allowed.
    return clock.now() + timedelta(seconds=min(seconds, LONGEST_DEADLINE_SECONDS))


def _no_deadline(text: str) -> datetime:
    raise InvalidRequest(
        f"'X-Forebay-Deadline' is '{text[:64]}'. Give seconds above 0, such as 30, or a time with "
        "its offset, such as 2026-01-31T12:00:00+00:00.",
        param="X-Forebay-Deadline",
    )


def public_address(exchange: Exchange, public_url: str | None) -> str:
    """The beginning of the addresses that an answer names: that of the settings, else what the
    request itself came to."""
    if public_url is not None:
        return public_url
    scheme = exchange.header(b"x-forwarded-proto") or "http"
    host = exchange.header(b"host") or ""
    return f"{'https' if scheme == 'https' else 'http'}://{host}"


def trace_carrier(exchange: Exchange) -> dict[str, str]:
    """The headers that carry a trace."""
    return {
        name: exchange.headers[name.encode()].decode("latin-1")
        for name in ("traceparent", "tracestate")
        if name.encode() in exchange.headers
    }
