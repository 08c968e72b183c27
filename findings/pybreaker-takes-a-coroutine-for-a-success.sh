#!/usr/bin/env bash
# A CircuitBreaker of pybreaker around an `async def` function calls it, gets a coroutine, and books that as a
# success: what is raised when the coroutine is awaited never reaches the breaker. It decorates without a word
# and never opens. Its `call_async` is no way out: it is for Tornado's coroutines and raises NameError where
# Tornado is not installed.
#
# Seen with pybreaker 1.4.1. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pybreaker==1.4.1
cat > "$folder/coroutine.py" <<'PY'
"""Ten failures of a function and of a coroutine function, each behind a breaker that allows three."""
import asyncio
import importlib.metadata
import sys

from pybreaker import CircuitBreaker, CircuitBreakerError

plain, asynchronous = CircuitBreaker(fail_max=3), CircuitBreaker(fail_max=3)


@plain
def fails():
    raise ConnectionError


@asynchronous
async def fails_later():
    raise ConnectionError


async def ask():
    for _ in range(10):
        try:
            await fails_later()
        except (ConnectionError, CircuitBreakerError):
            pass
        try:
            fails()
        except (ConnectionError, CircuitBreakerError):
            pass
    try:
        await asynchronous.call_async(fails_later)
    except Exception as error:
        return type(error).__name__
    return None


print("pybreaker", importlib.metadata.version("pybreaker"))
print("expected: both are open after ten failures")
error = asyncio.run(ask())
print(f"seen: around a function {plain.current_state}, around a coroutine function")
print(f"      {asynchronous.current_state} with {asynchronous.fail_counter} failures; call_async: {error}")
as_described = (plain.current_state, asynchronous.current_state, asynchronous.fail_counter, error) == (
    "open", "closed", 0, "NameError",
)
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
"$folder/venv/bin/python" "$folder/coroutine.py"
