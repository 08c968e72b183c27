"""Formulas, mathematical terms, and sums told in words."""

from __future__ import annotations

from string import digits
from typing import Final

from workers.routing.complexity.marks import Marks
from workers.routing.complexity.reading import QuestionReading, saturating, terms

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
_OPERATORS: Final = frozenset("%+*/×÷")
_marks: Final = Marks([*_SYMBOLS, *_WIDE_SYMBOLS, *sorted(_OPERATORS)])
_FEW_NUMBERS: Final = 2
_WITHIN_NUMBERS: Final = b".,"
_DIGITS: Final = bytes(each if chr(each) in digits else 0x20 for each in range(256))


def measure(reading: QuestionReading) -> float:
    """Terms and symbols, and numbers that stand to each other in rates, shares and sums."""
    found = _marks.found(reading.encoded)
    operators = len(_OPERATORS.intersection(found))
    signs = len(reading.vocabulary & _TERMS) + 2 * (len(found) - operators)
    return min(1.0, saturating(signs, full=3) + _reckoning(reading, operators))


def _reckoning(reading: QuestionReading, operators: int) -> float:
    related = operators + len(reading.vocabulary & _RELATIONS)
    numbers = len(reading.encoded.translate(_DIGITS, _WITHIN_NUMBERS).split()) if related else 0
    if numbers < _FEW_NUMBERS:
        return 0.0
    return saturating(numbers, full=6) * saturating(related, full=2)
