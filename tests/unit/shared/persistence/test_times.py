"""Times as SQLite keeps them: the text that SQLAlchemy would write of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from shared.persistence.columns import UtcDateTime

_DIALECT = sqlite.dialect()
_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_TIMES = st.datetimes(timezones=_OFFSETS | st.just(UTC)).filter(lambda time: 1 < time.year < 9999)


@given(_TIMES)
def test_a_time_is_spelt_as_sqlalchemy_spells_it_in_utc(time: datetime) -> None:
    spell = UtcDateTime().dialect_impl(_DIALECT).bind_processor(_DIALECT)
    of_sqlalchemy = sqlite.DATETIME().bind_processor(_DIALECT)

    assert spell is not None
    assert of_sqlalchemy is not None
    assert spell(time) == of_sqlalchemy(time.astimezone(UTC).replace(tzinfo=None))
    assert spell(None) is None
