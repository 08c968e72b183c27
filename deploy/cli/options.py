"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

AsJson = Annotated[bool, Parameter(name="--json", help="Print JSON instead of text.")]
Limit = Annotated[int, Parameter(help="Show at most so many.", validator=Number(gte=1, lte=10_000))]

YEARS: Final = range(2000, 3000)
"""Those of which a time is looked for: a day before or after it is still a time."""
