"""Code, and talk about code."""

from __future__ import annotations

from typing import Final

from workers.routing.complexity.marks import Marks
from workers.routing.complexity.reading import QuestionReading, saturating, terms

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
_TRACES: Final = frozenset(
    {"```", "Traceback (most recent", "Exception:", "Error:", "panic:", "\tat "}
)
_USUAL: Final = (
    *("()", "();", "{\n", "};", "})", " = ", " == ", "=>", "!=", "+=", "->", "/>", "</", "::"),
    *("):\n", "\n    "),
)
_marks: Final = Marks([*sorted(_TRACES), *_USUAL])


def measure(reading: QuestionReading) -> float:
    """1 for a fenced block or a stack trace; less for a few identifiers or terms."""
    found = _marks.found(reading.encoded)
    if not _TRACES.isdisjoint(found):
        return 1.0
    talk = len(reading.vocabulary & _TALK)
    marks = len(found) + reading.text.count("_")
    return min(1.0, saturating(marks, full=5) + saturating(talk, full=5))
