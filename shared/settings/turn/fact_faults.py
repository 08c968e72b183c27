"""Fact sources that cannot work, found when settings are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import msgspec

from shared.settings.secret import has_password
from shared.settings.turn.facts import (
    FactSettings,
    FactSourceKind,
    FactSourceSettings,
    HttpMethod,
)

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
BOUND_NAME: Final = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""As SQLAlchemy finds them: `::` is a cast and `\\:` a colon."""
_OF_THE_MESSAGE: Final = frozenset({"user_id", "tenant_id", "conversation_id"})
_METADATA: Final = "metadata_"
_DATABASES: Final = frozenset({"postgresql+psycopg", "sqlite+aiosqlite"})
_ONLY: Final = {
    FactSourceKind.SQL: ("query", "name_column", "url_env", "url_file"),
    FactSourceKind.HTTP: ("body", "api_key_env", "api_key_file"),
}


def unsound_facts(settings: FactSettings) -> Iterator[str]:
    """One sentence for each fault of the section, with its fix."""
    names = [source.name for source in settings.sources]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"facts.sources: two are named '{name}'. Give each its own name."
    for source in settings.sources:
        for fault in _source(source):
            yield f"facts.sources: '{source.name}' {fault}"


def _source(source: FactSourceSettings) -> Iterator[str]:
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
