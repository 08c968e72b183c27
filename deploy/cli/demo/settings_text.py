"""The settings of the demo's stack: the product's own, made quick enough to watch."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deploy.embedded.processes.ports import usable_port
from workers.providers.rules import BUILT_IN_RULES

BURST_SHARE: Final = 0.05

_TEMPLATE: Final = """\
[ingress]
port = 0

[embedded]
folder = "{folder}"
flower_port = 0
metrics = false
workers = 2
# Only the scene about it starts it, so that in the others nobody stands before rules and people.
local_model = false

[local_model]
port = {model_port}

# A short burst is enough to be refused, and little time enough to be let in again.
[limits]
burst_share = {burst_share}

# A worker that dies is noticed after seconds here, so that the scene about it is short.
[ledger]
lease_seconds = 2.0
sweep_seconds = 0.3

# Nothing else wants the machine while the scene about it waits for the index.
[index]
cores = 2
lease_seconds = 5.0

# As many failures as ever open a breaker; it is tried again sooner.
[breakers]
open_seconds = 1.0
refresh_seconds = 0.2

# Few calls are enough to know what is late; nothing is before a second, so that the other scenes
# are asked of one provider at a time.
[hedging]
enabled = true
minimum_samples = 3
shortest_seconds = 1.0
largest_share = 1.0

# A threshold is measured on questions of one's own, by `forebay cache calibrate`; this one is so
# low that the guard has something to do.
[caching]
exact = true

[caching.semantic]
enabled = true
threshold = 0.8

# The scene about them has a server of its own on this machine.
[webhooks]
allow_http = true
allowed_networks = ["127.0.0.0/8"]

# The demo itself is told of alerts; what wants minutes elsewhere has a second here.
[alerts]
every_seconds = 1.0
group_seconds = 0.5
resolve_after_seconds = 0
flapping_seconds = 0
allow_http = true
allowed_networks = ["127.0.0.0/8"]

[alerts.rules.breaker_open]
for_seconds = 0

[[alerts.sinks]]
name = "demo"
kind = "webhook"
url = "{alerts_url}"
secrets_file = ["{alerts_secret}"]

[[costs.prices]]
model = "scripted"
input_per_million = 2.50
output_per_million = 10.00
batch_share = 0.5

[[costs.prices]]
model = "scripted-large"
input_per_million = 2.50
output_per_million = 10.00

[[costs.prices]]
model = "scripted-small"
input_per_million = 0.15
output_per_million = 0.60

[[providers]]
name = "primary"
kind = "openai_compatible"
base_url = "{primary}"
model = "scripted"
small_model = "scripted-small"
large_model = "scripted-large"
max_tries = 2
{batch}
[[providers]]
name = "secondary"
kind = "anthropic"
base_url = "{secondary}"
model = "scripted"
max_tries = 2

[[providers]]
name = "local"
kind = "local"
max_tries = 1

[[providers]]
name = "rules"
kind = "rules"
rules_file = "{rules}"

[[providers]]
name = "handoff"
kind = "handoff"
"""


_BATCHES: Final = """\

[providers.batch]
fill_seconds = 0.5
expected_seconds = 2.0
poll_seconds = 0.5
"""


def settings_text(
    folder: Path,
    *,
    primary: str,
    secondary: str,
    alerts_url: str,
    alerts_secret: Path,
    takes_batches: bool = False,
) -> str:
    """A settings file for a stack in `folder`, with two models behind these URLs.

    Where the first one `takes_batches`, what can wait is handed to it as such.
    """
    return _TEMPLATE.format(
        folder=folder,
        burst_share=BURST_SHARE,
        primary=primary,
        batch=_BATCHES if takes_batches else "",
        secondary=secondary,
        alerts_url=alerts_url,
        alerts_secret=alerts_secret,
        model_port=usable_port(0),
        rules=BUILT_IN_RULES,
    )
