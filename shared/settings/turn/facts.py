"""Fact sources: where facts are looked up that an answer is held against."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from shared.settings.secret import Secret, ServerUrl
from shared.settings.units import Positive, PositiveInt


class FactSourceKind(StrEnum):
    """How a source is asked."""

    SQL = "sql"
    HTTP = "http"


class FactType(StrEnum):
    """What a value is, and so how an answer would tell it."""

    MONEY = "money"
    NUMBER = "number"
    DATE = "date"
    TEXT = "text"


class HttpMethod(StrEnum):
    """How an `http` source is called."""

    GET = "GET"
    POST = "POST"


class SourceFailure(StrEnum):
    """What becomes of a message whose source did not answer."""

    ANSWER = "answer"
    HAND_OFF = "hand_off"
    FAIL = "fail"


class FactField(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fact of a source: a column of its row, or a value of its JSON."""

    type: FactType | None = None
    """What it is; without it the value decides: two decimals make money, YYYY-MM-DD a date."""
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")] | None = None
    """The ISO code of money; without it any currency fits."""
    words: tuple[Annotated[str, msgspec.Meta(min_length=1, max_length=64)], ...] = ()
    """What an answer calls it; without them its name, with spaces for underscores."""
    pointer: str | None = None
    """Where it stands in the JSON of an `http` source, such as /account/balance; else its name."""


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


class FactSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Facts that are looked up once a turn, so that no answer contradicts them."""

    tell_model: bool = False
    """Whether the model is told all facts of the message, quoted as data."""
    told_characters: PositiveInt = 4_000
    """Of the facts told, more than so many characters are left out."""
    sources: tuple[FactSourceSettings, ...] = ()
    """The sources, all asked at once; of two that know a fact of one name the first wins."""
