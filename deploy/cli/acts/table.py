"""Which commands change something: each of these is written into the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple


class RecordedAct(NamedTuple):
    """A command whose use is recorded.

    `target` is the parameter that says what it is about, and `said` are others whose values are
    recorded with it: neither secrets nor what people wrote, for what is in the log stays there.
    It counts as an act only with one of `only_with`, where that is given.
    """

    target: str
    said: tuple[str, ...] = ()
    only_with: tuple[str, ...] = ()


_LIMITS: Final = (
    "requests_per_minute",
    "tokens_per_minute",
    "user_requests_per_minute",
    "user_tokens_per_minute",
    "max_in_flight",
    "weight",
    "from_settings",
)
_OF_TENANT: Final = ("tenant",)

ACTS: Final[Mapping[str, RecordedAct]] = {
    "keys create": RecordedAct("tenant", ("scope", "expires", "delegates")),
    "keys rotate": RecordedAct("key_id", ("overlap",)),
    "keys revoke": RecordedAct("key_id"),
    "tenants limits": RecordedAct("name", _LIMITS, only_with=_LIMITS),
    "tenants retention": RecordedAct(
        "name", ("days", "from_settings"), only_with=("days", "from_settings")
    ),
    "costs cap": RecordedAct("tenant", ("amount",)),
    "handoff answer": RecordedAct("handoff_id", ("answered_by",)),
    "dead replay": RecordedAct("letter_id"),
    "dead discard": RecordedAct("letter_id"),
    # Whose words are erased is not kept here either.
    "erase": RecordedAct("tenant", ("leave_to_workers",)),
    "files delete": RecordedAct("file_id", _OF_TENANT),
    "webhooks add": RecordedAct("tenant", ("event",)),
    "webhooks remove": RecordedAct("endpoint_id", _OF_TENANT),
    "webhooks rotate": RecordedAct("endpoint_id", ("tenant", "overlap")),
    "webhooks redeliver": RecordedAct("delivery_id", _OF_TENANT),
    "webhooks test": RecordedAct("endpoint_id", _OF_TENANT),
    "schedule add": RecordedAct("name", ("tenant", "kind", "cron", "zone", "into")),
    "schedule remove": RecordedAct("name", _OF_TENANT),
    "schedule run": RecordedAct("name", _OF_TENANT),
    "jobs cancel": RecordedAct("job_id", _OF_TENANT),
    "collections create": RecordedAct("name", _OF_TENANT),
    "collections drop": RecordedAct("name", _OF_TENANT),
    "collections swap": RecordedAct("name", _OF_TENANT),
    "collections repair": RecordedAct("name", _OF_TENANT),
    "alerts acknowledge": RecordedAct("fingerprint", ("by",)),
    "alerts silence": RecordedAct("matchers", ("lasting", "end")),
    "alerts test": RecordedAct("sink"),
    "breakers reset": RecordedAct("name"),
    "rollups rebuild": RecordedAct("begin", ("end",)),
    "rehearse": RecordedAct("drill", ("lasting", "share", "tenant", "stop")),
    "cache invalidate": RecordedAct("tenant"),
    # What was said leaves the ledger, or is told to a judge or another model.
    "eval online": RecordedAct("tenant", ("judge", "budget", "hours", "sample")),
    "eval from-traffic": RecordedAct("tenant", ("where", "redact", "limit")),
    "replay": RecordedAct(
        "tenant",
        ("live", "budget", "model", "variant", "judge", "since", "until"),
        only_with=("live",),
    ),
    "cache drop": RecordedAct("entry_id", _OF_TENANT),
}

# What shows something, runs a process of ours, or does what any producer may do with a key.
READS: Final = frozenset(
    {
        *("up", "demo", "worker", "indexer", "ingress", "model"),
        *("send", "batch submit", "batch status", "batch watch", "batch results", "batch cancel"),
        *("batch list", "index", "search", "eval search", "route explain", "route replay"),
        *("check", "status", "show", "providers", "lanes", "costs", "breakers", "cache calibrate"),
        *("keys list", "tenants list", "handoff list", "handoff show", "dead list", "dead show"),
        *("files list", "files show", "webhooks list", "webhooks deliveries", "schedule list"),
        *("jobs list", "jobs show", "jobs follow", "collections list", "collections stats"),
        *("collections freshness", "cache show", "cache reports"),
        *("alerts list", "alerts export"),
        *("audit list", "audit verify", "report"),
        *("feedback list", "feedback show", "feedback add", "outcomes"),
        *("variants list", "variants compare", "variants promote"),
        *("eval run", "eval list", "eval show", "eval compare", "eval gate", "eval agreement"),
    }
)


def act_of(arguments: Sequence[str]) -> str | None:
    """The name of the act that was typed, if it is one."""
    for words in (2, 1):
        if (name := " ".join(arguments[:words])) in ACTS:
            return name
    return None
