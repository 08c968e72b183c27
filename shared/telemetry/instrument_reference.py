"""The table of metrics as it stands in the documentation: `python -m` this module prints it."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from shared.telemetry.instrument import Instrument, Label
from shared.telemetry.instruments import INSTRUMENTS


def instrument_reference(instruments: Sequence[Instrument] = INSTRUMENTS) -> str:
    """Markdown: one table of the metrics, one of the values their labels take."""
    return f"{_metric_table(instruments)}\n{_label_table(instruments)}"


def _metric_table(instruments: Sequence[Instrument]) -> str:
    rows = [
        f"| `{each.name}` | {each.type} | {each.unit} | {_label_names(each)} | {each.help} |\n"
        for each in instruments
    ]
    return "| metric | type | unit | labels | what |\n|---|---|---|---|---|\n" + "".join(rows)


def _label_names(instrument: Instrument) -> str:
    return ", ".join(f"`{name}`" for name in instrument.label_names) or "none"


def _label_table(instruments: Sequence[Instrument]) -> str:
    used_by: dict[Label, list[str]] = {}
    for instrument in instruments:
        for label in instrument.labels:
            used_by.setdefault(label, []).append(f"`{instrument.attribute}`")
    rows = [
        f"| `{label.name}` | {', '.join(names)} | {label.bound} | {label.values} |\n"
        for label, names in used_by.items()
    ]
    return "| label | of | at most | values |\n|---|---|---|---|\n" + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(instrument_reference())
