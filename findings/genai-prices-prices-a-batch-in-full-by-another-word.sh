#!/usr/bin/env bash
# `price_context` says under which conditions a call was made: {"processing": "batch"} and
# {"service_tier": "flex"} give the half price that OpenAI's list has for both. A context that no price
# knows is no error and no warning: {"service_tier": "batch"}, {"processing": "flex"} and any other word give
# the full price, as no context does. Whoever books batches by the wrong one of the two words charges
# twice what is owed, and nothing in the answer tells which condition was met.
#
# Seen with genai-prices 0.2.3, gpt-5-mini at 2026-11-01. Exit 0 while that is so, 1 once it has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check genai-prices==0.2.3
cat > "$folder/context.py" <<'PY'
"""The price of the same tokens under several contexts, by the data of the package alone."""
import sys
import warnings
from datetime import datetime, timezone
from importlib.metadata import version

from genai_prices import Usage, calc_price

warnings.simplefilter("error")
TOKENS = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
AT = datetime(2026, 11, 1, tzinfo=timezone.utc)


def price(**context):
    told = calc_price(
        TOKENS,
        model_ref="gpt-5-mini",
        provider_id="openai",
        genai_request_timestamp=AT,
        price_context=context,
    )
    return told.total_price


full, batch, flex = price(), price(processing="batch"), price(service_tier="flex")
swapped = price(service_tier="batch"), price(processing="flex"), price(processing="none of these")
print("genai-prices", version("genai-prices"))
print("expected: a context that no price knows is refused, or at least told")
print(f"seen: full {full}, batch {batch}, flex {flex}; contexts that no price knows {swapped}")
as_described = batch == flex == full / 2 and set(swapped) == {full}
print("as described" if as_described else "CHANGED")
sys.exit(0 if as_described else 1)
PY
timeout 60 "$folder/venv/bin/python" "$folder/context.py"
