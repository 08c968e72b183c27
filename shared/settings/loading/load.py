"""Read the tree: defaults, then `forebay.toml`, then the environment. Every fault is found at once.

`FOREBAY_BROKER__URL` sets `broker.url`; `FOREBAY_BROKER__URL_FILE` names a file that holds it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from shared.errors import SettingsError
from shared.settings.loading.reading import Origin, SettingsReading, read_struct
from shared.settings.loading.sound import unsound
from shared.settings.settings import Settings
from shared.settings.turn.local_model import with_local_model

_PREFIX = "FOREBAY_"
_NOT_SETTINGS = frozenset(
    {"FOREBAY_CONFIG", "FOREBAY_API_KEY", "FOREBAY_URL", "FOREBAY_TEST_SERVERS"}
)


def load_settings(env: Mapping[str, str] | None = None, *, file: Path | None = None) -> Settings:
    """The tree from `file` (else `$FOREBAY_CONFIG`, else ./forebay.toml if there) and `env`.

    Raises SettingsError with one finding per fault: the key, the bad value, where it came from
    and the fix. Secrets that it only names are left to whoever uses them: `with_secrets`.
    """
    environment = os.environ if env is None else env
    reading = SettingsReading()
    _read_file(reading, _chosen_file(environment, file))
    _read_environment(reading, environment)
    settings = read_struct(Settings, reading)
    if settings is not None:
        settings = _with_local_models(settings)
        reading.findings.extend(unsound(settings))
    if reading.findings or settings is None:
        raise SettingsError(reading.findings)
    return settings


def _chosen_file(env: Mapping[str, str], file: Path | None) -> Path | None:
    if file is not None:
        return file
    if named := env.get("FOREBAY_CONFIG"):
        return Path(named)
    here = Path("forebay.toml")
    return here if here.is_file() else None


def _read_file(reading: SettingsReading, file: Path | None) -> None:
    if file is None:
        return
    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        reading.findings.append(f"{file} cannot be read: {error.strerror}. Check the path.")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        reading.findings.append(f"{file} is not valid TOML: {error}. Mend that line.")
    else:
        reading.merge(tree, Origin(str(file), from_file=True))


def _read_environment(reading: SettingsReading, env: Mapping[str, str]) -> None:
    for name in sorted(env):
        if not name.startswith(_PREFIX) or name in _NOT_SETTINGS:
            continue
        path = name.removeprefix(_PREFIX).lower().split("__")
        value = env[name]
        if path[-1].endswith("_file") and not _is_setting(path):
            path[-1] = path[-1].removesuffix("_file")
            try:
                value = Path(value).read_text(encoding="utf-8").strip()
            except OSError as error:
                reading.findings.append(f"{name}={value} cannot be read: {error.strerror}.")
                continue
        reading.place(path, value, Origin(name, from_file=False))


def _is_setting(path: list[str]) -> bool:
    """Whether a name ending in `_file` is a setting itself rather than a reference to one."""
    kind: type = Settings
    for part in path:
        fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
        if part not in fields:
            return False
        found = fields[part]
        if not (isinstance(found, type) and issubclass(found, msgspec.Struct)):
            return True
        kind = found
    return True


def _with_local_models(settings: Settings) -> Settings:
    providers = tuple(
        with_local_model(provider, settings.local_model) for provider in settings.providers
    )
    return msgspec.structs.replace(settings, providers=providers)
