"""Why Redis does not serve us, and what a person can do about it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Final

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClusterError,
    MasterDownError,
    MovedError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

# The first that fits counts, so a class stands before those it is made of.
_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (
        ssl.SSLCertVerificationError,
        "shows a certificate that is not trusted ({said}): set {section}.tls.ca_file to the "
        "certificate of its authority, or name the host that its own certificate names",
    ),
    (ssl.SSLError, "speaks no TLS that we know ({said}): mend the scheme or port of {section}.url"),
    (
        AuthenticationError,
        "does not know our user or password ({said}): mend them in {section}.url",
    ),
    (
        AuthorizationError,
        "does not let us in ({said}): mend user and password in {section}.url",
    ),
    (
        NoPermissionError,
        "does not allow what we need ({said}): grant the user of {section}.url what "
        "docs/operating.md lists under Least privilege",
    ),
    (
        ReadOnlyError,
        "cannot be written, it is a replica ({said}): name the primary in {section}.url",
    ),
    (OutOfMemoryError, "is full ({said}): give it more memory (maxmemory)"),
    (
        MovedError,
        "is a node of a cluster ({said}), and Forebay speaks to no cluster: name a Redis without "
        "one in {section}.url",
    ),
    (ClusterError, "is a node of a cluster ({said}): name a Redis without one in {section}.url"),
    (MasterDownError, "is a replica without its primary ({said}): name another in {section}.url"),
    (ResponseError, "refuses ({said}): its log says more"),
)
_SILENT: Final = (
    "does not answer ({said}): start it, mend {section}.url, or start everything here with "
    "`forebay up`"
)


def why_redis_refuses(error: BaseException, *, section: str) -> str:
    """The rest of a sentence that begins with the server; `section` is that of its settings."""
    for kind, reason in _REASONS:
        for each in causes(error):
            if isinstance(each, kind):
                return reason.format(said=_said(each), section=section)
    return _SILENT.format(said=_said(error), section=section)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and whatever it was raised from, the nearest first."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _said(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, RedisError | OSError) and str(error):
        return str(error).strip().rstrip(".").splitlines()[0]
    return "no answer in time"
