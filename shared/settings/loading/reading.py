"""Plain values into frozen structs, leaf by leaf, remembering where each value came from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final, TypeVar, cast, get_args, get_origin

import msgspec

from shared.decoding import invalid_field, values_at
from shared.errors import InvalidRequest, use_one_of
from shared.settings.secret import Secret, ServerUrl, has_password

T = TypeVar("T", bound=msgspec.Struct)
_SECRET_KEYS = frozenset({"api_key", "headers", "secret_headers"})
_LARGEST: Final = 1e9
"""Far more seconds than anything lasts; what is counted beyond overflows somewhere on its way."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was found: a file's path or a variable's name."""

    name: str
    from_file: bool


@dataclass(slots=True)
class SettingsReading:
    """Values by section, the origin of each, and what was wrong with them."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def merge(self, tree: dict[str, Any], origin: Origin) -> None:
        """Take a whole tree in, as a TOML file gives it."""
        for section, value in tree.items():
            if isinstance(value, dict):
                for key, leaf in value.items():
                    self.place([section, key], leaf, origin)
            else:
                self.place([section], value, origin)

    def place(self, path: list[str], value: object, origin: Origin) -> None:
        """Take one value in; a later one replaces an earlier one."""
        parent = self.values
        for part in path[:-1]:
            below = parent.setdefault(part, {})
            if not isinstance(below, dict):
                self._outdone(path, below, origin)
                return
            parent = below
        parent[path[-1]] = value
        self.origins[".".join(path)] = origin

    def _outdone(self, path: list[str], whole: object, origin: Origin) -> None:
        if isinstance(whole, str) and whole[:1] == "{":
            key = ".".join(path)
            self.findings.append(
                f"{key} (from {origin.name}): a variable holds all of it as JSON, too. Keep one."
            )

    def fault(self, path: str, value: object, problem: str) -> None:
        """Note what is wrong with the value at `path`."""
        origin = self._origin_around(path) or self._origin_inside(path)
        where = f" (from {origin.name})" if origin else ""
        shown = "***" if path.rpartition(".")[2] in _SECRET_KEYS else _shown(value)
        self.findings.append(f"{path} = {shown}{where}: {problem}")

    def _origin_around(self, path: str) -> Origin | None:
        while path and path not in self.origins:
            path = path.rpartition(".")[0]
        return self.origins.get(path)

    def _origin_inside(self, section: str) -> Origin | None:
        within = (each for each in self.origins if each.startswith(f"{section}."))
        return self.origins.get(next(within, ""))


def read_struct(kind: type[T], reading: SettingsReading) -> T | None:
    """The struct `kind` from `reading`, or None once a finding has been noted."""
    before = len(reading.findings)
    built = _built(kind, reading.values, "", reading)
    return cast("T", built) if len(reading.findings) == before else None


def _built(
    kind: type[msgspec.Struct], values: dict[str, Any], at: str, reading: SettingsReading
) -> Any:
    known = {item.name: item.type for item in msgspec.structs.fields(kind)}
    built: dict[str, object] = {}
    for name, value in values.items():
        path = f"{at}.{name}" if at else name
        if name not in known:
            reading.fault(path, value, f"is not a setting.{_meant(name, known, at)}")
            continue
        inner = known[name]
        entry = _entry_kind(inner)
        if entry is not None and isinstance(value := _from_json(value), dict):
            built[name] = {
                key: _entry(entry, one, f"{path}.{key}", reading) for key, one in value.items()
            }
        elif isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            if isinstance(value, dict):
                built[name] = _built(inner, value, path, reading)
            else:
                reading.fault(path, value, "is a section; set a key inside it.")
        else:
            _read_leaf(built, name, value, inner, path, reading)
    return kind(**built) if not reading.findings else None


def _entry_kind(kind: Any) -> type[msgspec.Struct] | None:
    """Of a table of sections, each under a name that its writer gives it, what one of them is."""
    if get_origin(kind) is not dict:
        return None
    entry = get_args(kind)[1]
    return entry if isinstance(entry, type) and issubclass(entry, msgspec.Struct) else None


def _entry(kind: type[msgspec.Struct], value: object, at: str, reading: SettingsReading) -> Any:
    if isinstance(value, dict):
        return _built(kind, value, at, reading)
    return reading.fault(at, value, "is a section; set a key inside it.")


def _from_json(value: object) -> object:
    """What a variable holds as JSON; what cannot be read is left to be found as it is."""
    if not (isinstance(value, str) and value[:1] == "{"):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


def _meant(name: str, known: dict[str, Any], at: str) -> str:
    """What the writer may have had in mind, and all there is."""
    listed = f" Known here: {', '.join(known)}."
    close = get_close_matches(name, known, n=1)
    if not close:
        return listed
    path = f"{at}.{close[0]}" if at else close[0]
    kind = known[close[0]]
    is_section = isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    return f" Did you mean {f'[{path}]' if is_section else path}?{listed}"


def _read_leaf(
    built: dict[str, object],
    name: str,
    value: object,
    kind: Any,
    path: str,
    reading: SettingsReading,
) -> None:
    origin = reading.origins.get(path)
    from_file = origin is None or origin.from_file
    if kind is ServerUrl and from_file and isinstance(value, str) and has_password(value):
        variable = f"FOREBAY_{path.upper().replace('.', '__')}"
        reading.fault(path, value, f"holds a password. Set {variable} or {variable}_FILE instead.")
        return
    try:
        built[name] = _leaf(value, kind, from_text=not from_file)
    except InvalidRequest as error:
        values = values_at(error.param or "", kind)
        fix = use_one_of(values) if values else "Set a value that fits"
        reading.fault(path, value, f"{error.message} {fix}.")


def _leaf(value: object, kind: Any, *, from_text: bool) -> object:
    if from_text and isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            value = msgspec.json.decode(value)
        except msgspec.DecodeError as error:
            raise InvalidRequest(f"is not valid JSON: {error}.") from None
    try:
        leaf = msgspec.convert(value, kind, strict=not from_text, dec_hook=_decode_custom)
    except msgspec.ValidationError as error:
        raise invalid_field(str(error)) from None
    for place in (*_boundless(value), *_boundless(leaf)):
        inside = f" in {'.'.join(place)}" if place else ""
        raise InvalidRequest(f"Expected no number above {_LARGEST:g}{inside}.")
    return leaf


def _boundless(value: object, *place: str) -> Iterator[tuple[str, ...]]:
    """Where inside of it: TOML has words for infinity, and for what is no number at all."""
    if isinstance(value, dict | list):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _boundless(each, *place, str(name))
    elif isinstance(value, float) and not abs(value) <= _LARGEST:
        yield place


def _decode_custom(kind: type, value: object) -> object:
    if kind is ServerUrl and isinstance(value, str):
        return ServerUrl(value)
    if kind is Secret:
        raise ValueError("a secret is never written here; use api_key_env or headers_env")
    raise ValueError(f"expected {kind.__name__}")


def _shown(value: object) -> str:
    if isinstance(value, str) and "://" in value and value[:1] not in {"[", "{"}:
        return ServerUrl(value).redacted
    return repr(_without_secrets(value))


def _without_secrets(value: object) -> object:
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return _without_secrets(msgspec.json.decode(value))
        except msgspec.DecodeError:
            return f"{value[0]}…"  # what cannot be read cannot be searched for secrets
    if isinstance(value, str) and "://" in value:
        return ServerUrl(value).redacted
    if isinstance(value, dict):
        return {
            key: "***" if key in _SECRET_KEYS else _without_secrets(inner)
            for key, inner in value.items()
        }
    return [_without_secrets(inner) for inner in value] if isinstance(value, list) else value
