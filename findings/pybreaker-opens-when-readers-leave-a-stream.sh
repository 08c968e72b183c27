#!/usr/bin/env bash
# pybreaker guards a generator, such as a model's answer that is streamed, to its end. A reader who leaves
# early, because a stop word came or a browser was closed, closes the generator; pybreaker takes that
# GeneratorExit for an error of the provider. Three readers who have read enough open a breaker of three,
# though no call has failed, and what the third leaves with is a CircuitBreakerError that nobody can catch.
# `exclude=[GeneratorExit]` makes such streams successes.
#
# Seen with pybreaker 1.4.1. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pybreaker==1.4.1
cat > "$folder/stream.py" <<'PY'
"""Readers who take the first word of a stream and leave."""
import importlib.metadata
import sys

from pybreaker import CircuitBreaker


def words():
    yield from ("to", "be", "or", "not")


def read_first_words(breaker):
    for _ in range(3):
        for _ in breaker.call(words):
            break
    return breaker.current_state


unraisable = []
sys.unraisablehook = lambda raised: unraisable.append(type(raised.exc_value).__name__)
print("pybreaker", importlib.metadata.version("pybreaker"))
print("expected: closed, for the provider wrote what it was asked for")
state = read_first_words(CircuitBreaker(fail_max=3))
excluded = read_first_words(CircuitBreaker(fail_max=3, exclude=[GeneratorExit]))
print(f"seen: {state}, {unraisable} that nobody can catch; {excluded} with GeneratorExit excluded")
as_described = (state, unraisable, excluded) == ("open", ["CircuitBreakerError"], "closed")
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
"$folder/venv/bin/python" "$folder/stream.py"
