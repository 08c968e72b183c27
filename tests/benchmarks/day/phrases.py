"""Questions as people put them: families of intents, each with its wordings and its traps.

A trap looks nearly like a wording and asks something else: the opposite, another number, another
thing, the other direction. All traps of one filling ask the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from string import Template
from typing import Final

_PRODUCTS: Final = (
    "Ledgerly", "Northwind Desk", "Pixelmill", "Harbour CRM", "Qrate", "Tidepool", "Fernhill",
    "Oxbow", "Papertrail", "Saltmarsh",
)  # fmt: skip
_FEATURES: Final = (
    "two-factor authentication", "weekly digests", "dark mode", "guest access", "single sign-on",
    "read receipts", "automatic backups", "offline sync", "audit logs", "spell checking",
)  # fmt: skip
_COUNTRIES: Final = (
    "Peru", "Norway", "Kenya", "Mongolia", "Portugal", "Chile", "Latvia", "Jordan", "Ghana",
    "Nepal", "Cuba", "Estonia", "Fiji", "Gabon", "Haiti",
    "Iran", "Uruguay", "Finland", "Oman", "Croatia", "Bolivia", "Iceland", "Laos", "Malta",
)  # fmt: skip
_UNITS: Final = (
    ("miles", "kilometres"), ("pounds", "kilograms"), ("gallons", "litres"), ("feet", "metres"),
    ("ounces", "grams"), ("acres", "hectares"),
)  # fmt: skip
_NUMBERS: Final = ("7", "12", "18", "25", "33", "40", "75", "110", "150", "320", "500")
_OBJECTS: Final = ("contacts", "invoices", "reports", "tasks", "calendars", "notes", "dashboards")
_FORMATS: Final = ("CSV", "PDF", "Excel", "JSON", "XML")
_CODES: Final = ("E-17", "E-203", "E-31", "E-404", "E-502", "E-66", "E-78", "E-90")
_DAYS: Final = ("Monday", "Wednesday", "Friday", "Saturday", "Sunday")
_TECHNOLOGIES: Final = (
    ("Postgres", "MongoDB"), ("Kafka", "RabbitMQ"), ("REST", "gRPC"), ("Terraform", "Pulumi"),
    ("React", "Svelte"), ("Redis", "Memcached"), ("Go", "Rust"), ("Airflow", "Dagster"),
    ("MySQL", "SQLite"),
    ("Jenkins", "Drone"), ("Vue", "Angular"),
    ("Nginx", "Caddy"), ("Solr", "Vespa"), ("Flink", "Beam"),
)  # fmt: skip
_PURPOSES: Final = (
    "a small team", "a payments backend", "an event-sourced system", "a data warehouse",
    "a mobile game", "a web shop", "a research lab", "a hospital's records",
)  # fmt: skip
_SYSTEMS: Final = (
    "rate limiter", "job queue", "feature-flag service", "search index", "payment ledger",
    "chat server", "file store", "mail gateway", "booking system",
)  # fmt: skip
_RATES: Final = ("500", "2,000", "10,000", "50,000")
_LOSSES: Final = ("its database", "one availability zone", "its cache", "half of its nodes")
_DIVISORS: Final = ("3", "5", "6", "7", "11", "13")
_POWERS: Final = ("3", "5", "7")
_SERVICES: Final = (
    "checkout",
    "login",
    "search",
    "billing",
    "upload",
    "notification",
    "export",
    "payment",
)
_SYMPTOMS: Final = (
    "times out every night at two", "answers twice", "leaks memory", "loses every tenth message",
    "runs out of connections",
    "answers in the wrong order",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of question; `$name` stands for a slot, and `traps` pair with `wordings`."""

    name: str
    hard: bool
    wordings: tuple[str, ...]
    traps: tuple[str, ...]
    slots: tuple[tuple[tuple[str, ...], ...], ...]
    """Every value of each slot; a value with two parts fills two names."""
    names: tuple[str, ...]
    output_tokens: int | None = None
    """The length of an answer, where it is known."""

    def combinations(self) -> Iterator[dict[str, str]]:
        """Every filling of the slots."""
        names = self.names
        for chosen in product(*self.slots):
            values = [part for value in chosen for part in value]
            yield dict(zip(names, values, strict=True))


def fill(wording: str, values: dict[str, str]) -> str:
    """The wording with its slots filled."""
    return Template(wording).substitute(values)


def _one(values: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple((value,) for value in values)


def _next(values: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Each value with the one after it, for traps that name another."""
    return tuple(zip(values, (*values[1:], values[0]), strict=True))


FAMILIES: Final = (
    Family(
        "enable", False,
        ("How do I enable $feature in $product?", "How can I turn on $feature in $product?",
         "Where do I switch $feature on in $product?"),
        ("How do I disable $feature in $product?", "How can I turn off $feature in $product?",
         "Where do I switch $feature off in $product?"),
        (_one(_FEATURES), _one(_PRODUCTS)), ("feature", "product"),
    ),
    Family(
        "capital", False,
        ("What is the capital of $country?", "Which city is the capital of $country?",
         "Tell me the name of $country's capital."),
        ("What is the capital of $other?", "Which city is the capital of $other?",
         "Tell me the name of $other's capital."),
        (_next(_COUNTRIES),), ("country", "other"),
    ),
    Family(
        "convert", False,
        ("Convert $number $unit to $target.", "What is $number $unit in $target?",
         "How many $target are $number $unit?"),
        ("Convert $other $unit to $target.", "What is $other $unit in $target?",
         "How many $target are $other $unit?"),
        (_next(_NUMBERS), _UNITS), ("number", "other", "unit", "target"),
    ),
    Family(
        "export", False,
        ("Can I export $things from $product as $format?",
         "Is it possible to export $things from $product to $format?",
         "Does $product let me save $things as $format?"),
        ("Can I import $things into $product as $format?",
         "Is it possible to import $things into $product from $format?",
         "Does $product let me load $things from $format?"),
        (_one(_OBJECTS), _one(_PRODUCTS), _one(_FORMATS)), ("things", "product", "format"),
    ),
    Family(
        "error", False,
        ("What does error $code mean in $product?",
         "What is the meaning of error $code in $product?",
         "$product shows error $code. What does that mean?"),
        ("What does error $other mean in $product?",
         "What is the meaning of error $other in $product?",
         "$product shows error $other. What does that mean?"),
        (_next(_CODES), _one(_PRODUCTS)), ("code", "other", "product"),
    ),
    Family(
        "hours", False,
        ("When does the support of $product open on $day?",
         "What is the opening time of $product's support on $day?",
         "From when can I reach $product's support on $day?"),
        ("When does the support of $product close on $day?",
         "What is the closing time of $product's support on $day?",
         "Until when can I reach $product's support on $day?"),
        (_one(_PRODUCTS), _one(_DAYS)), ("product", "day"),
    ),
    Family(
        "compare", True,
        ("Compare $first and $second for $purpose, and explain which one you would choose.",
         "Which of $first and $second is the better choice for $purpose, and why?",
         "Weigh $first against $second for $purpose and recommend one."),
        ("Compare $first and $second for $purpose, and explain which one you would avoid.",
         "Which of $first and $second is the worse choice for $purpose, and why?",
         "Weigh $first against $second for $purpose and say which one to avoid."),
        (_TECHNOLOGIES, _one(_PURPOSES)), ("first", "second", "purpose"),
    ),
    Family(
        "design", True,
        ("Design a $system for $rate requests per second that survives the loss of $part.",
         "How would you architect a $system that takes $rate requests per second and survives "
         "losing $part?",
         "Propose an architecture for a $system: $rate requests per second, and it must live on "
         "without $part."),
        ("Design a $system for $other requests per second that survives the loss of $part.",
         "How would you architect a $system that takes $other requests per second and survives "
         "losing $part?",
         "Propose an architecture for a $system: $other requests per second, and it must live on "
         "without $part."),
        (_one(_SYSTEMS), _next(_RATES), _one(_LOSSES)), ("system", "rate", "other", "part"),
    ),
    Family(
        "prove", True,
        ("Prove that n^$power - n is divisible by $divisor, or find a counterexample.",
         "Is n^$power - n always divisible by $divisor? Give a proof or a counterexample.",
         "Show that $divisor divides n^$power - n for every integer n, or refute it."),
        ("Prove that n^$power - n is divisible by $other, or find a counterexample.",
         "Is n^$power - n always divisible by $other? Give a proof or a counterexample.",
         "Show that $other divides n^$power - n for every integer n, or refute it."),
        (_next(_DIVISORS), _one(_POWERS)), ("divisor", "other", "power"),
    ),
    Family(
        "migrate", True,
        ("Plan our migration from $first to $second without downtime, with risks and a way back.",
         "We move from $first to $second and may not be down. Write the plan, the risks and the "
         "rollback.",
         "How should we migrate $first to $second without an outage? Assess risks and rollback."),
        ("Plan our migration from $second to $first without downtime, with risks and a way back.",
         "We move from $second to $first and may not be down. Write the plan, the risks and the "
         "rollback.",
         "How should we migrate $second to $first without an outage? Assess risks and rollback."),
        (_TECHNOLOGIES,), ("first", "second"),
    ),
    Family(
        "diagnose", True,
        ("Since the release our $service service $symptom. What could be the cause and how do we "
         "find it?",
         "Our $service service $symptom since the release. Diagnose it: causes, and how to tell "
         "them apart.",
         "Help me debug this: the $service service $symptom, and only since the release."),
        ("Since the release our $other service $symptom. What could be the cause and how do we "
         "find it?",
         "Our $other service $symptom since the release. Diagnose it: causes, and how to tell "
         "them apart.",
         "Help me debug this: the $other service $symptom, and only since the release."),
        (_next(_SERVICES), _one(_SYMPTOMS)), ("service", "other", "symptom"),
    ),
)  # fmt: skip
