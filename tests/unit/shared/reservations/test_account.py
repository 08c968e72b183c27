"""What stands before the scripts that read or write a tenant's records."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from shared.reservations.account import RecordCount, load_account_script

SCRIPTS = (
    ("ingress.admission", "commitments.lua"),
    ("shared.costs", "billing.lua"),
    ("shared.costs", "reserving.lua"),
    ("shared.reservations", "admission.lua"),
    ("shared.reservations", "reservations.lua"),
    ("shared.reservations", "risk_signal.lua"),
)


def definitions_before(package: str, name: str) -> str:
    script = files(package).joinpath(name).read_text()
    return load_account_script(package, name).source.decode().removesuffix(script)


def named_in(text: str) -> list[str]:
    return re.findall(r"\w+", re.sub("--.*", "", text))


def defined_in(text: str) -> list[str]:
    heads = re.findall(r"^local (?:function )?([^=(\n]+)", text, re.MULTILINE)
    return [name for head in heads for name in named_in(head)]


@pytest.mark.parametrize(("package", "name"), SCRIPTS)
def test_every_function_before_a_script_is_called_there(package: str, name: str) -> None:
    source = load_account_script(package, name).source.decode()

    functions = re.findall(r"^local function (\w+)", source, re.MULTILINE)

    assert functions
    assert [each for each in functions if named_in(source).count(each) < 2] == []


def test_every_name_of_the_account_is_wanted_by_some_script() -> None:
    account = files("shared.reservations").joinpath("account.lua").read_text()

    wanted = {name for script in SCRIPTS for name in defined_in(definitions_before(*script))}

    assert [name for name in defined_in(account) if name not in wanted] == []


def test_a_count_stands_where_its_name_says() -> None:
    before = definitions_before("shared.reservations", "admission.lua")

    places = [
        int(re.findall(rf"^local {count.upper()} = (\d+)$", before, re.MULTILINE)[0])
        for count in (RecordCount.REFUSALS, RecordCount.REPEATS, RecordCount.BURSTS)
    ]

    assert places == [1, 2, 3]
