"""Code, and talk about code."""

from __future__ import annotations

from typing import Final

from workers.routing.complexity.reading import Reading, saturating, terms

_TALK: Final = terms("""
    algorithm api async backend bash bug cache class cluster codebase compile compiler
    concurrency container css database deadlock debug decorator deploy docker endpoint exception
    float function generics git goroutine graphql html index java javascript json-rpc kafka
    kernel kubernetes lambda latency linux lock-free loop lru memory method microservice
    microservices middleware migration mutex nginx nodejs nullpointerexception oauth orm pandas
    parser pipeline pod postgres postgresql promise pytest python query queue race react
    recursion recursive redis refactor regex repository rest rust schema script segfault server
    sql sqlalchemy sqlite stacktrace subquery swift terraform test tests thread thread-safe
    threads tls typescript unit variable webhook websocket
""")
_MARKS: Final = {
    "(": ("()", "();"),
    "{": ("{\n", "};", "})"),
    "=": (" = ", " == ", "=>", "!=", "+="),
    ">": ("->", "/>"),
    "<": ("</",),
    ":": ("::", "):\n"),
    "\n": ("\n    ",),
}
_TRACES: Final = {
    "(": ("Traceback (most recent",),
    ":": ("Exception:", "Error:", "panic:"),
    "\t": ("\tat ",),
}
# Each under a character that it holds: looking for one character is nearly free.


def measure(reading: Reading) -> float:
    """1 for a fenced block or a stack trace; less for a few identifiers or terms."""
    text = reading.text
    if ("`" in text and "```" in text) or _found(_TRACES, text):
        return 1.0
    marks = _found(_MARKS, text) + text.count("_")
    talk = len(reading.vocabulary & _TALK)
    return min(1.0, saturating(marks, full=5) + saturating(talk, full=5))


def _found(marks: dict[str, tuple[str, ...]], text: str) -> int:
    """How many of the marks the text holds."""
    return sum(
        mark in text for character, found in marks.items() if character in text for mark in found
    )
