from __future__ import annotations

from pathlib import Path

from shared.telemetry.instrument_reference import instrument_reference
from shared.telemetry.instruments import INSTRUMENTS

PAGE = Path(__file__).parents[4] / "docs" / "telemetry.md"
BEGIN = "<!-- instruments: printed by python -m shared.telemetry.instrument_reference -->\n"
END = "<!-- end of instruments -->\n"


def test_the_page_holds_the_table_as_the_code_has_it() -> None:
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    on_the_page, end, _ = rest.partition(END)
    assert end, "the page has lost its marks"
    assert on_the_page == instrument_reference()


def test_every_metric_is_in_the_table() -> None:
    table = instrument_reference()
    assert all(f"| `{instrument.name}` |" in table for instrument in INSTRUMENTS)
