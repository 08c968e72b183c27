"""All the tables there are: each room of `shared` that has some keeps them in its own `tables`, or
beside those in modules named `…_tables`."""

from importlib import import_module
from pkgutil import iter_modules

from sqlalchemy import MetaData

import shared
from shared.persistence.tables import metadata


def every_table() -> MetaData:
    """What the database of this version has, with what each kind of database is told of it.

    The tables keep that aside: SQLAlchemy loads a whole dialect to look at one such word, and only
    what migrates needs it.
    """
    for room in iter_modules(shared.__path__, f"{shared.__name__}."):
        if not room.ispkg:
            continue
        for module in iter_modules(import_module(room.name).__path__, f"{room.name}."):
            if module.name.endswith((".tables", "_tables")):
                import_module(module.name)
    for table in metadata.tables.values():
        table.dialect_kwargs.update(table.info)
        for index in table.indexes:
            index.dialect_kwargs.update(index.info)
    return metadata
