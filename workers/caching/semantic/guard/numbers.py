"""Equal numbers: "refund after 30 days" is not "refund after 60 days"."""

from __future__ import annotations

import re
from typing import Final

from workers.caching.semantic.guard.question import GuardedQuestion, Word

_TO_TWENTY: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen twenty"
)
_SPELLED: Final = {
    word: value
    for value, word in enumerate(_TO_TWENTY.split())
} | {
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90, "hundred": 100, "thousand": 1000, "million": 1_000_000, "dozen": 12,
    "twice": 2, "half": "half", "quarter": "quarter",
    "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "tenth": 10,
}  # fmt: skip
UNITS: Final = {
    form: unit
    for unit, forms in {
        "second": "second seconds sec secs s",
        "minute": "minute minutes min mins",
        "hour": "hour hours hr hrs h",
        "day": "day days",
        "business day": "workday workdays",
        "week": "week weeks wk",
        "month": "month months",
        "year": "year years yr yrs",
        "kilometre": "km kilometer kilometers kilometre kilometres",
        "metre": "m meter meters metre metres",
        "centimetre": "cm centimeter centimeters centimetre centimetres",
        "millimetre": "mm millimeter millimeters",
        "mile": "mile miles mi",
        "foot": "ft foot feet",
        "inch": "inch inches",
        "yard": "yard yards",
        "kilogram": "kg kilo kilos kilogram kilograms",
        "gram": "g gram grams",
        "milligram": "mg milligram milligrams",
        "pound": "lb lbs pound pounds",
        "ounce": "oz ounce ounces",
        "litre": "l liter liters litre litres",
        "millilitre": "ml milliliter milliliters",
        "cup": "cup cups",
        "gallon": "gallon gallons",
        "percent": "percent percentage",
        "byte": "b byte bytes",
        "kilobyte": "kb kilobyte kilobytes",
        "megabyte": "mb megabyte megabytes",
        "gigabyte": "gb gigabyte gigabytes",
        "terabyte": "tb terabyte terabytes",
        "dollar": "dollar dollars usd bucks",
        "euro": "eur euro euros",
        "celsius": "celsius c",
        "fahrenheit": "fahrenheit f",
        "am": "am a.m",
        "pm": "pm p.m",
    }.items()
    for form in forms.split()
}
_DIGITS: Final = re.compile(r"^([$€£¥]?)(\d[\d.,:/]*?)(%|[a-z]{1,3})?$")
_CURRENCIES: Final = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
_ORDINALS: Final = frozenset({"st", "nd", "rd", "th"})


def differ_in_numbers(asked: GuardedQuestion, stored: GuardedQuestion) -> bool:
    """Whether one names an amount, in its unit, that the other does not."""
    ours, theirs = _amounts(asked), _amounts(stored)
    return _misses(theirs, ours) or _misses(ours, theirs)


def says_number(word: Word) -> bool:
    """Whether it is a number, in digits or spelled out."""
    return word.lower in _SPELLED or is_amount(word)


def _misses(amounts: frozenset[tuple[str, str]], others: frozenset[tuple[str, str]]) -> bool:
    """Whether one of the others is not among them; no unit goes with every unit."""
    return any(
        not any(
            value == known and not (unit and meant and unit != meant) for known, meant in amounts
        )
        for value, unit in others
    )


def is_amount(word: Word) -> bool:
    """Whether it is a number, with or without its unit; a code such as 2fa is none."""
    return word.lower[0].isdigit() and _amount(word, "") is not None


def _amounts(question: GuardedQuestion) -> frozenset[tuple[str, str]]:
    words = question.words
    amounts = (
        _amount(word, words[place + 1].lower if place + 1 < len(words) else "")
        for place, word in enumerate(words)
    )
    return frozenset(amount for amount in amounts if amount is not None)


def _amount(word: Word, following: str) -> tuple[str, str] | None:
    unit = UNITS.get(following, "")
    if word.lower in _SPELLED:
        # "one" and "second" say a number only before what is counted.
        is_number = word.lower not in {"one", "second", "half", "quarter"} or bool(unit)
        return (str(_SPELLED[word.lower]), unit) if is_number else None
    match = _DIGITS.match(word.lower)
    if match is None:
        return None
    currency, digits, ending = match.groups()
    if ending and ending != "%" and ending not in UNITS and ending not in _ORDINALS:
        return None  # a code such as 2fa: the rule on entities reads it
    own = "percent" if ending == "%" else UNITS.get(ending or "", "")
    return _plain(digits), _CURRENCIES.get(currency, "") or own or unit


def _plain(digits: str) -> str:
    """1,000.50 and 1000.5 are one number; 10:30 and 1/2 stay as they are."""
    plain = digits.rstrip(".,:/").replace(",", "")
    if plain.count(".") == 1 and ":" not in plain and "/" not in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain
