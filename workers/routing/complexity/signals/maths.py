"""Formulas, mathematical terms, and sums told in words."""

from __future__ import annotations

import re
from typing import Final

from workers.routing.complexity.reading import Reading, saturating, terms

_TERMS: Final = terms("""
    algebra amortisation amortization angle annuity arithmetic bayes binomial calculus
    coefficient combinatorics compounded compounding conditional confidence congruent
    convergence convex cosine derivative determinant deviation dice differential differentiate
    distribution divisible divisor eigenvalue eigenvalues equation equations expectation
    exponent exponential factorial formula fraction geometry gradient hypotenuse hypothesis
    induction inequality integer integers integral integrate irr irrational lemma linear log
    logarithm matrix median mod modulo npv parabola percentile permutation permutations
    polynomial prime primes probability proof prove quadratic quartile regression sine solve
    sqrt statistics sum tangent theorem triangle variance vector volume
""")
_RELATIONS: Final = terms("""
    annual annually average compared cost costs daily discount double doubles each fee half hourly
    interest monthly per percent price profit rate ratio share tax third times total twice weekly
    yearly
""")
_SYMBOLS: Final = ("\\frac", "\\int", "\\sum", "$$", "^2", "^n", "x^")
_WIDE_SYMBOLS: Final = ("∫", "∑", "√", "≤", "≥", "π", "∞", "²", "³", "≡", "∀", "∈")
_OPERATORS: Final = "%+*/×÷"
_FEW_NUMBERS: Final = 2
_NUMBER: Final = re.compile(r"\d[\d.,]*")


def measure(reading: Reading) -> float:
    """Terms and symbols, and numbers that stand to each other in rates, shares and sums."""
    signs = len(reading.vocabulary & _TERMS) + 2 * _symbols(reading.text)
    return min(1.0, saturating(signs, full=3) + _reckoning(reading))


def _symbols(text: str) -> int:
    found = 0
    if "\\" in text or "^" in text or "$" in text:
        found += sum(symbol in text for symbol in _SYMBOLS)
    if not text.isascii():
        found += sum(symbol in text for symbol in _WIDE_SYMBOLS)
    return found


def _reckoning(reading: Reading) -> float:
    operators = sum(sign in reading.text for sign in _OPERATORS)
    related = operators + len(reading.vocabulary & _RELATIONS)
    numbers = len(_NUMBER.findall(reading.text)) if related else 0
    if numbers < _FEW_NUMBERS:
        return 0.0
    return saturating(numbers, full=6) * saturating(related, full=2)
