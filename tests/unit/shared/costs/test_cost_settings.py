from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings

GOOD = """
[[costs.prices]]
model = "m"
input_per_million = 0.15
output_per_million = "0.60"
"""


def test_prices_are_read_as_exact_decimals(tmp_path: Path) -> None:
    file = tmp_path / "forebay.toml"
    file.write_text(GOOD)
    (price,) = load_settings({}, file=file).costs.prices
    assert price.input_per_million == Decimal("0.15")
    assert price.output_per_million == Decimal("0.60")
    assert price.cached_per_million is None


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ('[[costs.prices]]\nmodel = "m"\ninput_per_million = 1', "output_per_million"),
        (GOOD.replace("0.15", "-1"), "'m' has input_per_million = -1. Set dollars"),
        (GOOD.replace('"0.60"', '"NaN"'), "'m' has output_per_million = NaN. Set dollars"),
        (GOOD.replace('"0.60"', '"cheap"'), "cheap"),
        (GOOD + GOOD, "'m' is priced twice"),
    ],
    ids=["hole", "negative", "not a number", "text", "twice"],
)
def test_a_table_that_cannot_be_used_is_refused_with_its_reason(
    tmp_path: Path, text: str, finding: str
) -> None:
    file = tmp_path / "forebay.toml"
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        load_settings({}, file=file)
    assert finding in str(refused.value)
