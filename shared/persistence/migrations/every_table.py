"""All the tables there are: each room of `shared` that has some keeps them in its own `tables`."""

from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from sqlalchemy import MetaData

import shared
from shared.persistence.tables import metadata


def every_table() -> MetaData:
    """What the database of this version has."""
    for room in iter_modules(shared.__path__, f"{shared.__name__}."):
        if room.ispkg and find_spec(f"{room.name}.tables"):
            import_module(f"{room.name}.tables")
    return metadata
