#!/usr/bin/env bash
# A task whose message is delivered twice ends twice under one id: it fails, say, and its second delivery
# finds that nothing is left to do and succeeds. Flower's list shows one task that has succeeded; asked for
# tasks that failed it shows none, although the time and the error of the failure still stand in the same
# entry, and its own counter has both ends. Who looks for failures in Flower misses those that came again:
# let the second delivery end as the first did, or count failures elsewhere.
#
# Seen with Flower 2.2.0 on Celery 5.7.0. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check flower==2.2.0 celery==5.7.0
cat > "$folder/two_ends.py" <<'PY'
"""The events of one task that ends twice, as a worker sends them, given to what Flower keeps them in."""
import importlib.metadata
import sys
import time
from types import SimpleNamespace

from flower.events import EventsState
from flower.utils.tasks import as_dict, iter_tasks

BEGUN = {"name": "answer", "args": "()", "kwargs": "{}", "retries": 0, "eta": None, "expires": None}
EVENTS = [
    ("task-received", BEGUN),
    ("task-started", {}),
    ("task-failed", {"exception": "ValueError('no answer')", "traceback": "..."}),
    ("task-received", BEGUN),
    ("task-started", {}),
    ("task-succeeded", {"result": "'nothing to do'", "runtime": 0.01}),
]

kept, now = EventsState(), time.time()
for clock, (kind, said) in enumerate(EVENTS, start=1):
    times = {"timestamp": now + clock, "local_received": now + clock, "clock": clock, "utcoffset": 0}
    kept.event({"type": kind, "uuid": "one", "hostname": "worker@here", "pid": 1, **times, **said})

shown = as_dict(kept.tasks["one"])
listed = {
    state: len(list(iter_tasks(SimpleNamespace(state=kept), state=state)))
    for state in ("FAILURE", "SUCCESS")
}
counted = kept.counter["worker@here"]
print("Flower", importlib.metadata.version("flower"), "on Celery", importlib.metadata.version("celery"))
print("shown as", shown["state"], "with the error", shown["exception"])
print("listed by state:", listed)
print("counted:", {name: counted[name] for name in ("task-failed", "task-succeeded")})
is_so = (
    shown["state"] == "SUCCESS"
    and bool(shown["failed"])
    and listed == {"FAILURE": 0, "SUCCESS": 1}
    and counted["task-failed"] == counted["task-succeeded"] == 1
)
sys.exit(0 if is_so else 1)
PY
"$folder/venv/bin/python" "$folder/two_ends.py"
