"""A silence: which alerts nobody is told of, until when, by whom and why."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from fnmatch import fnmatchcase

import msgspec

from shared.alerts.rule import Alert
from shared.errors import InvalidRequest


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """`matchers` are values, with * and ?, by label; `rule` and `severity` count as labels. An
    alert has to have all of them and match; a bracket stands for itself."""

    id: str
    matchers: dict[str, str]
    until: datetime
    by: str
    why: str
    created_at: datetime

    def covers(self, alert: Alert) -> bool:
        """Whether it is about this alert."""
        known = {**alert.labels, "rule": alert.rule, "severity": str(alert.severity)}
        return all(
            name in known and fnmatchcase(known[name], like.replace("[", "[[]"))
            for name, like in self.matchers.items()
        )


def checked_matchers(matchers: Mapping[str, str]) -> dict[str, str]:
    """The matchers; raises InvalidRequest where there is none: that would silence everything."""
    if not matchers:
        raise InvalidRequest(
            "A silence without matchers would be about every alert. Name a label and its value, "
            "such as rule=latency, or rule=* for all.",
            param="matchers",
        )
    for name, value in matchers.items():
        if not name or not value or len(name) + len(value) > 300:
            raise InvalidRequest(
                f"'{name[:50]}={value[:50]}' is no matcher. Write a label and its value.",
                param="matchers",
            )
    return dict(matchers)
