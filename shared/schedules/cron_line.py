"""Times of a cron line in a named zone, by one stated rule for the nights when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import InvalidRequest

_FIELDS: Final = 5


def next_time(cron: str, zone: str, *, after: datetime) -> datetime | None:
    """The first time of the line behind that moment, in UTC; None where there is none.

    The rule is cronsim's, which is Debian's: a time that comes twice in autumn is taken once, the
    first time; one that is left out in spring is taken as the clock moves, 02:30 at 03:00. Raises
    InvalidRequest for a line or a zone that is none.
    """
    from cronsim import CronSim, CronSimError

    place = _zone(zone)
    if len(cron.split()) != _FIELDS:
        raise InvalidRequest(f"'{cron[:100]}' is no cron line: {_HOW}", param="cron")
    try:
        # Within an hour that comes twice, cronsim may tell of the first one, which is over.
        comes = (each.astimezone(UTC) for each in CronSim(cron, after.astimezone(place)))
        return next((at for at in comes if at > after), None)
    except CronSimError as error:
        told = f"'{cron[:100]}' is no cron line: {error}. {_HOW}"
        raise InvalidRequest(told, param="cron") from error


_HOW: Final = "Write minute, hour, day of month, month and day of week, such as '30 2 * * MON-FRI'."


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequest(
            f"'{name[:100]}' is no time zone: write one of IANA's, such as Europe/Zurich or UTC.",
            param="zone",
        ) from error
