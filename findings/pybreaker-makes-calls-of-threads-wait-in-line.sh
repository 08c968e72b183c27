#!/usr/bin/env bash
# pybreaker's CircuitBreaker holds its lock while it calls what it guards, not just while it looks at its
# state or changes it. Threads that share a closed breaker, as they have to if it is to know of all failures,
# make their calls one after the other: five calls of .3 s take 1.5 s, and a provider that hangs for one
# thread holds all of them. Nothing in its documentation, which calls it thread-safe, says so.
#
# Seen with pybreaker 1.4.1. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pybreaker==1.4.1
cat > "$folder/threads.py" <<'PY'
"""How many of five calls are under way at once, with a breaker around them and without one."""
import importlib.metadata
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from pybreaker import CircuitBreaker


class Provider:
    def __init__(self):
        self._lock, self._now, self.most = threading.Lock(), 0, 0

    def call(self):
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.3)
        with self._lock:
            self._now -= 1


def most_at_once(guarded):
    provider, breaker = Provider(), CircuitBreaker()
    with ThreadPoolExecutor(5) as threads:
        for _ in range(5):
            if guarded:
                threads.submit(breaker.call, provider.call)
            else:
                threads.submit(provider.call)
    return provider.most


print("pybreaker", importlib.metadata.version("pybreaker"))
print("expected: a closed breaker lets the calls of five threads run side by side")
plain, guarded = most_at_once(False), most_at_once(True)
print(f"seen: {plain} at once without a breaker, {guarded} at once through one")
as_described = (plain, guarded) == (5, 1)
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
"$folder/venv/bin/python" "$folder/threads.py"
