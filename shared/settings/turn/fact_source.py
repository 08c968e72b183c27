"""One fact source: how it is asked, what it is asked for, and why it could not be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec

from shared.settings.secret import Secret, ServerUrl, has_password
from shared.settings.turn.fact_field import FactField
from shared.settings.units import Positive, PositiveInt

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
BOUND_NAME: Final = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""As SQLAlchemy finds them: `::` is a cast and `\\:` a colon."""
_OF_THE_MESSAGE: Final = frozenset({"user_id", "tenant_id", "conversation_id"})
_METADATA: Final = "metadata_"
_DATABASES: Final = frozenset({"postgresql+psycopg", "sqlite+aiosqlite"})


class FactSourceKind(StrEnum):
    """How a source is asked."""

    SQL = "sql"
    HTTP = "http"


class HttpMethod(StrEnum):
    """How an `http` source is called."""

    GET = "GET"
    POST = "POST"


class SourceFailure(StrEnum):
    """What becomes of a message whose source did not answer."""

    ANSWER = "answer"
    HAND_OFF = "hand_off"
    FAIL = "fail"


class FactSourceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One source. Its query or its URL names what it takes from the message: user_id, tenant_id,
    conversation_id, or metadata_ and a key of the metadata; as `:user_id` in a query, as
    `{user_id}` in a URL or a body.
    """

    name: str
    """What logs and metrics call it; each its own."""
    kind: FactSourceKind
    """A database or an HTTP server."""
    url: ServerUrl | None = None
    """`sql`: postgresql+psycopg:// or sqlite+aiosqlite:///. `http`: where to call, placeholders
    behind the host only.
    """
    url_env: str | None = None
    """The variable that holds the URL of a database, for one with a password."""
    url_file: str | None = None
    """The file that holds it."""
    query: str | None = None
    """`sql`: one SELECT; its columns are the facts. It runs in a transaction that only reads."""
    method: HttpMethod = HttpMethod.GET
    """`http`: how to call."""
    body: str | None = None
    """`http` with POST: the JSON to send, with placeholders inside its texts."""
    api_key_env: str | None = None
    """`http`: the variable whose value is sent as a bearer token."""
    api_key_file: str | None = None
    """`http`: the file whose text is sent so."""
    api_key: Secret | None = None
    """Filled by `with_secrets`; refused in the file."""
    facts: dict[str, FactField] = {}
    """The facts by name; without them every column, or every plain value of the JSON object."""
    name_column: str | None = None
    """`sql`: the column whose text stands before the names of its row, as in "savings balance";
    needed where a query may return several rows.
    """
    max_rows: PositiveInt = 20
    """`sql`: more rows are a failure."""
    max_body_bytes: PositiveInt = 65_536
    """`http`: a longer answer is a failure."""
    timeout_seconds: Positive = 1.0
    """For one look-up; never more than the time left."""
    pool_size: PositiveInt = 5
    """`sql`: connections of one worker process."""
    on_failure: SourceFailure = SourceFailure.ANSWER
    """Without its facts: answer all the same, give the message to a human, or fail it."""
    tenants: tuple[str, ...] = ()
    """The ids of the tenants it is asked for; all, where none is named."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault of the source, with its fix."""
        for fault in _faults(self):
            yield f"facts.sources: '{self.name}' {fault}"


_ONLY: Final = {
    FactSourceKind.SQL: ("query", "name_column", "url_env", "url_file"),
    FactSourceKind.HTTP: ("body", "api_key_env", "api_key_file"),
}


def _faults(source: FactSourceSettings) -> Iterator[str]:
    for kind, keys in _ONLY.items():
        for key in keys:
            if source.kind is not kind and getattr(source, key) is not None:
                yield f"is of kind {source.kind} and has {key}, which only {kind} takes. Remove it."
    if source.kind is FactSourceKind.SQL:
        yield from _sql(source)
    else:
        yield from _http(source)


def _sql(source: FactSourceSettings) -> Iterator[str]:
    is_named = bool(source.url_env or source.url_file)
    if source.url is None:
        if not is_named:
            yield "needs url, such as postgresql+psycopg://reader@db.example.com/bank, or url_env."
    elif source.url.scheme not in _DATABASES:
        known = ", ".join(f"{scheme}://" for scheme in sorted(_DATABASES))
        yield f"has url = '{source.url.redacted}': unknown database. Start it with one of {known}."
    elif has_password(source.url) and not is_named:
        yield "has a password in its url. Name a variable in url_env, or a file in url_file."
    if not (source.query or "").strip():
        yield "needs query, such as SELECT balance FROM account WHERE user_id = :user_id."
    yield from _unknown("query", BOUND_NAME.findall(source.query or ""), ":")
    for name, field in source.facts.items():
        if field.pointer is not None:
            yield f"has facts.{name}.pointer, which only http takes. Name the column '{name}'."


def _http(source: FactSourceSettings) -> Iterator[str]:
    yield from _address(source.url)
    yield from _unknown("url", PLACEHOLDER.findall(source.url or ""), "{}")
    if source.body is not None:
        yield from _body(source, source.body)
    for name, field in source.facts.items():
        if field.pointer is not None and not field.pointer.startswith("/"):
            yield f"has facts.{name}.pointer = '{field.pointer}'. Begin it with /."


def _address(url: str | None) -> Iterator[str]:
    if url is None:
        yield "needs url, such as https://bank.example.com/users/{user_id}/account."
        return
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, is_whole = None, False
    if parts is None or not is_whole:
        yield f"has url = '{url}'. Write a whole one, such as https://bank.example.com/account."
    elif "{" in parts.netloc:
        yield f"has url = '{url}' with a placeholder in its host. Only what follows may have one."
    elif "@" in parts.netloc:
        yield "has a login in its url. Send a key with api_key_env or api_key_file."
    elif set("{}") & set(PLACEHOLDER.sub("", url)):
        yield f"has url = '{url}' with a brace that is part of no placeholder. Write %7B or %7D."
    elif parts.fragment:
        yield f"has url = '{url}' with a fragment, which is never sent. Remove it."


def _body(source: FactSourceSettings, body: str) -> Iterator[str]:
    if source.method is not HttpMethod.POST:
        yield 'has body, which only POST sends. Set method = "POST" or remove it.'
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        yield f"has a body that is no JSON: {error}. Put placeholders inside texts only."
    yield from _unknown("body", PLACEHOLDER.findall(body), "{}")


def _unknown(key: str, names: list[str], marks: str) -> Iterator[str]:
    for name in dict.fromkeys(names):
        if name in _OF_THE_MESSAGE or (name.startswith(_METADATA) and name != _METADATA):
            continue
        yield (
            f"has a {key} that takes {marks[0]}{name}{marks[1:]}, which no message has. Known are "
            f"{', '.join(sorted(_OF_THE_MESSAGE))} and {_METADATA} with a key of the metadata."
        )
