"""The tables of all settings, as docs/settings.md shows them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import msgspec
from msgspec import inspect as types

from shared.settings import Settings
from shared.settings.costs import PriceSettings
from shared.settings.deployment import DeploymentSettings, ProviderBatchSettings
from shared.settings.providers import ProviderSettings
from shared.settings.turn.chaos import InjectionSettings
from shared.settings.turn.fact_field import FactField
from shared.settings.turn.fact_source import FactSourceSettings
from shared.settings.watching.alert_rules import AlertRuleSettings
from shared.settings.watching.alert_sinks import AlertSinkSettings
from shared.settings.watching.variants import VariantSettings

_HEAD: Final = "| setting | variable | takes | default | what |\n|---|---|---|---|---|\n"


def settings_reference() -> str:
    """Markdown: one table for each section, one for what is listed in tables of its own."""
    sections = [_section(name, kind) for name, kind in _sections("", Settings)]
    entries = [
        _entries("providers", ProviderSettings),
        _entries("providers.deployments", DeploymentSettings),
        _entries("providers.batch", ProviderBatchSettings, mark="[]"),
        _entries("costs.prices", PriceSettings),
        _entries("chaos.injections", InjectionSettings),
        _entries("facts.sources", FactSourceSettings),
        _entries("facts.sources.facts.NAME", FactField, mark="[]"),
        _entries("alerts.rules.NAME", AlertRuleSettings, mark="[]"),
        _entries("alerts.sinks", AlertSinkSettings),
        _entries("variants.NAME", VariantSettings, mark="[]"),
    ]
    return "\n".join([*sections, *entries])


def _sections(above: str, kind: type[msgspec.Struct]) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Each section with its name, those inside another after it."""
    for field in msgspec.structs.fields(kind):
        if _is_section(field.type):
            yield above + field.name, field.type
            yield from _sections(f"{above}{field.name}.", field.type)


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _section(name: str, kind: type[msgspec.Struct]) -> str:
    title = inspect.getdoc(kind) or ""
    notes = _notes(kind)
    rows = [
        f"| `{name}.{field.name}` | `{_variable(name, field.name)}` "
        f"| {_takes(kind, field.name)} | {_default(field.default)} "
        f"| {notes.get(field.name, '')} |\n"
        for field in msgspec.structs.fields(kind)
        if not _is_section(field.type) and field.name not in _FILLED
    ]
    return f"### {name}\n\n{title}\n\n{_HEAD}{''.join(rows)}"


def _variable(section: str, key: str) -> str:
    return f"FOREBAY_{section}__{key}".replace(".", "__").upper()


def _entries(name: str, kind: type[msgspec.Struct], *, mark: str = "[[]]") -> str:
    half = len(mark) // 2
    title = f"{mark[:half]}{name}{mark[half:]}"
    notes = _notes(kind)
    rows = [
        f"| `{field.name}` | {_takes(kind, field.name)} "
        f"| {'needed' if field.required else _default(field.default)} "
        f"| {notes.get(field.name, '')} |\n"
        for field in msgspec.structs.fields(kind)
        if field.name not in _FILLED
    ]
    head = "| key | takes | default | what |\n|---|---|---|---|\n"
    return f"### {title}\n\n{inspect.getdoc(kind)}\n\n{head}{''.join(rows)}"


_FILLED: Final = frozenset({"api_key", "secret_headers", "secrets", "password"})
"""Never written: filled from what names them."""


def _default(value: object) -> str:
    if value is None or value == () or value is msgspec.NODEFAULT:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(_default, value))
    shown = getattr(value, "redacted", value)
    return f"`{_plain(shown)}`"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _takes(kind: type[msgspec.Struct], name: str) -> str:
    shape = types.type_info(kind)
    fields = shape.fields if isinstance(shape, types.StructType) else ()
    return next(_words(field.type) for field in fields if field.name == name)


def _words(kind: types.Type) -> str:
    match kind:
        case types.UnionType():
            return " or ".join(_words(each) for each in kind.types if each != types.NoneType())
        case types.IntType():
            return f"whole number{_range(kind)}"
        case types.FloatType():
            return f"number{_range(kind)}"
        case types.BoolType():
            return "true, false"
        case types.EnumType():
            return ", ".join(f"`{each.value}`" for each in kind.cls)
        case types.DictType(value_type=types.StructType()):
            return "tables by name"
        case types.DictType():
            return "tables" if isinstance(kind.value_type, types.StructType) else "table of text"
        case types.VarTupleType():
            return f"list of {_words(kind.item_type)}"
        case types.CustomType():
            return "URL"
        case types.DecimalType():
            return "decimal number"
        case types.StructType():
            return "tables"
        case _:
            return "text"


def _range(kind: types.IntType | types.FloatType) -> str:
    bounds = [
        f"{sign} {bound:g}"
        for sign, bound in ((">", kind.gt), ("≥", kind.ge), ("<", kind.lt), ("≤", kind.le))
        if bound is not None
    ]
    return f" {', '.join(bounds)}" if bounds else ""


def _notes(kind: type[Any]) -> dict[str, str]:
    """What stands below each field in the source: a text of its own, like an attribute's doc."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    notes: dict[str, str] = {}
    for above, below in pairwise(body):
        match above, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                notes[name] = " ".join(text.split())
    return notes
