"""`python -m tests.benchmarks.day [--messages N] [--seed N] [--threshold T] [--json]`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from itertools import pairwise

import msgspec
from rich.console import Console
from rich.table import Table

from tests.benchmarks.day.arms import PRICES, USUAL_THRESHOLD, arms, one_more_each
from tests.benchmarks.day.generator import Day, DayMessage, Parameters
from tests.benchmarks.day.living import Lived, live
from tests.benchmarks.ground.stage import Broker, Stage


def main() -> int:
    """Lives the same day under every arm; says what it is at on stderr."""
    wanted = _arguments()
    parameters = Parameters(seed=wanted.seed, messages=wanted.messages)
    day, progress = Day(parameters).messages(), Console(stderr=True)
    lived, thresholds = [], wanted.threshold or [USUAL_THRESHOLD]
    with Stage() as stage:
        for arm in arms(thresholds):
            progress.print(f"a day of {len(day):,} messages with {arm.name}", markup=False)
            lived.append(live(arm, day, stage.ground(Broker.RABBITMQ)))
    if wanted.json:
        print(msgspec.json.encode(_told(parameters, day, lived)).decode())
    else:
        _print(parameters, day, lived, thresholds[-1])
    return 0


def _arguments() -> argparse.Namespace:
    usual = Parameters()
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.day",
        description="What caching, routing and the flex tier save; all right answers are known.",
    )
    parser.add_argument("--messages", type=int, default=usual.messages)
    parser.add_argument("--seed", type=int, default=usual.seed)
    parser.add_argument(
        "--threshold", type=float, action="append", help="of the semantic cache; may be repeated"
    )
    parser.add_argument("--json", action="store_true", help="figures and parameters as JSON")
    return parser.parse_args()


def _told(parameters: Parameters, day: list[DayMessage], lived: list[Lived]) -> dict[str, object]:
    return {
        "parameters": parameters,
        "prices": PRICES,
        "kinds": Counter(each.kind for each in day),
        "hard": sum(each.intent.hard for each in day),
        "arms": lived,
    }


def _print(
    parameters: Parameters, day: list[DayMessage], lived: list[Lived], threshold: float
) -> None:
    told = _told(parameters, day, lived)
    console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(f"{parameters}\n{told['kinds']}, {told['hard']} hard", markup=False)
    table = Table(
        "settings", "dollars", "saved", "calls", "exact", "semantic", "shared",
        "wrong answers", "false hits", "hard to small", "easy to large",
        box=None, pad_edge=False,
    )  # fmt: skip
    for column in table.columns[1:]:
        column.justify = "right"
    for each in lived:
        table.add_row(*_cells(each, lived[0]))
    console.print(table)
    console.print(f"saved by source: {_sources(lived, threshold)}", markup=False)
    for each in lived:
        for asked, answered in each.mistaken:
            console.print(f"{each.arm}: {asked!r} got the answer to {answered!r}", markup=False)


def _sources(lived: list[Lived], threshold: float) -> str:
    """What each adds to those before it, of what the day costs with none."""
    by_name = {each.arm: each.dollars for each in lived}
    costs = [by_name[arm.name] for arm in one_more_each(threshold)]
    steps = zip(("caching", "routing", "flex tier"), pairwise(costs), strict=True)
    return ", ".join(f"{name} {(before - after) / costs[0]:.1%}" for name, (before, after) in steps)


def _cells(lived: Lived, without: Lived) -> list[str]:
    return [
        lived.arm,
        f"{lived.dollars:.4f}",
        f"{1 - lived.dollars / without.dollars:.1%}",
        f"{lived.calls}",
        f"{lived.exact_hits}",
        f"{lived.semantic_hits}",
        f"{lived.shared_flights}",
        f"{lived.wrong_answers}",
        _false(lived),
        f"{lived.hard_to_small}",
        f"{lived.easy_to_large}",
    ]


def _false(lived: Lived) -> str:
    """Wrong answers among hits of meaning, which alone can be wrong, and among all hits."""
    if not lived.hits:
        return ""
    among_all = f"{lived.wrong_answers / lived.hits:.2%}"
    if not lived.semantic_hits:
        return among_all
    return f"{lived.wrong_answers / lived.semantic_hits:.2%} ({among_all} of all)"


if __name__ == "__main__":
    sys.exit(main())
