"""Tables fit the terminal, ids stay whole, and nothing in them is obeyed by the terminal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest

from deploy.cli.output import as_typed, complain, say_json, say_rows, say_table

ID = "dead_019a3c0000000000000000000000beef"
HEADINGS = ("id", "state", "detail")
DETAIL = "the provider said at great length that it would not answer this one, and why"
Show = Callable[[int, list[tuple[str, ...]]], str]


class Screen(StringIO):
    """Where a terminal shows what is printed."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Show:
    """What a terminal of so many columns shows of a table."""

    def show(columns: int, rows: list[tuple[str, ...]]) -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        with redirect_stdout(Screen()) as screen:
            say_table(HEADINGS, rows, empty="")
        return screen.getvalue()

    return show


@pytest.mark.parametrize("columns", [68, 72, 100, 200])
def test_a_table_is_no_wider_than_the_terminal_and_cuts_nothing(columns: int, shown: Show) -> None:
    lines = shown(columns, [(ID, "open", DETAIL), (ID, "open", "")]).splitlines()
    assert max(map(len, lines)) <= columns
    said = " ".join(" ".join(lines).split())
    assert said.count(ID) == 2
    assert sum(said.count(word) for word in ("provider", "length", "answer", "why")) == 4


def test_where_there_is_no_room_each_row_becomes_lines_of_its_own(shown: Show) -> None:
    assert shown(50, [(ID, "open", DETAIL)]) == f"id      {ID}\nstate   open\ndetail  {DETAIL}\n"


def test_where_nobody_looks_each_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(HEADINGS, [(ID, "open", DETAIL * 20)], empty="")
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_what_others_wrote_moves_no_cursor(shown: Show) -> None:
    said = shown(100, [(ID, "open", "red \x1b[31m\r\nand on")])
    assert "\x1b" not in said
    assert "and on" in said.splitlines()[2]


def test_neither_a_row_nor_a_complaint_moves_a_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    say_rows([[("comment", "red \x1b[31m\r\nand on")]])
    complain("line 1: \x1b]0;title\x07\nline 2")
    said = capsys.readouterr()
    assert said.out == "comment  red  [31m\nand on\n"
    assert said.err == "line 1:  ]0;title \nline 2\n"


@pytest.mark.parametrize(
    ("amount", "spelt"), [("0E-9", "0"), ("4.2E-8", "0.000000042"), ("12.500", "12.5")]
)
def test_an_amount_in_json_is_never_a_power_of_ten(amount: str, spelt: str) -> None:
    with redirect_stdout(StringIO()) as screen:
        say_json({"rows": [{"cost": Decimal(amount)}]})

    assert screen.getvalue() == f'{{"rows":[{{"cost":"{spelt}"}}]}}\n'


@pytest.mark.parametrize("is_on_path", [True, False])
def test_a_command_to_try_is_named_so_that_it_is_found(
    is_on_path: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "forebay"
    command.touch(mode=0o755)
    monkeypatch.setattr("sys.argv", [str(command), "up"])
    monkeypatch.setenv("PATH", str(tmp_path) if is_on_path else "")

    assert as_typed() == ("forebay" if is_on_path else str(command))
