"""`forebay check`: may it start?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deploy.cli.check.finding import CheckFinding, Level, fault, hint
from deploy.cli.connection import command_environment, command_settings
from deploy.cli.options import AsJson
from deploy.cli.output import say, say_json
from shared.errors import SettingsError

if TYPE_CHECKING:
    from shared.settings import Settings

_SIGNS: Final = {Level.FINE: "ok   ", Level.HINT: "hint ", Level.FAULT: "FAULT"}


def check(
    *,
    migrate: bool = False,
    providers: bool = False,
    production: bool = False,
    as_json: AsJson = False,
) -> int:
    """Validate all settings, reach every server, and say whether Forebay may start.

    The exit code is 0 when it may and 1 when it may not. Secrets are never printed.

    Parameters
    ----------
    migrate
        Bring the ledger's tables up to date.
    providers
        Ask each model one cheap question, which costs a few tokens, and say whether its address,
        its key or its name is wrong.
    production
        Say instead whether it is ready for real callers, a line for each point, by how it is now
        and what happened last: fallbacks that were rehearsed, alerts that reached somebody. The
        exit code is 1 where a point fails.
    """
    if production:
        return _ready(as_json=as_json)
    findings = _findings(migrate=migrate, ask=providers, list_all=as_json)
    may_start = all(finding.level is not Level.FAULT for finding in findings)
    if as_json:
        say_json({"ok": may_start, "findings": findings})
    else:
        for finding in findings:
            say(f"{_SIGNS[finding.level]} {finding.sentence}")
        say("It may start." if may_start else "It may not start yet.")
    return 0 if may_start else 1


def _ready(*, as_json: bool) -> int:
    import asyncio

    from deploy.cli.check.production.points import check_production

    findings = asyncio.run(check_production(command_settings()))
    is_ready = all(finding.level is not Level.FAULT for finding in findings)
    if as_json:
        say_json({"ok": is_ready, "findings": findings})
    else:
        for finding in findings:
            say(f"{_SIGNS[finding.level]} {finding.part}: {finding.sentence}")
        say("It is ready." if is_ready else "It is not ready for real callers yet.")
    return 0 if is_ready else 1


def _findings(*, migrate: bool, ask: bool, list_all: bool) -> list[CheckFinding]:
    try:
        settings = command_settings()
    except SettingsError as error:
        return [fault("settings", finding) for finding in error.findings]
    import asyncio

    return asyncio.run(_reach(settings, migrate=migrate, ask=ask, list_all=list_all))


async def _reach(
    settings: Settings, *, migrate: bool, ask: bool, list_all: bool
) -> list[CheckFinding]:
    from msgspec.structs import replace

    from deploy.cli.check.broker import check_broker
    from deploy.cli.check.encoders import check_encoders
    from deploy.cli.check.extras import check_extras
    from deploy.cli.check.fact_sources import check_fact_sources
    from deploy.cli.check.installed import check_installed
    from deploy.cli.check.ledger import check_ledger
    from deploy.cli.check.prices import check_prices
    from deploy.cli.check.providers import check_providers
    from deploy.cli.check.redis import check_redis
    from deploy.cli.check.reranker import check_reranker
    from shared.settings.loading.secrets import with_known_secrets

    settings, missing = with_known_secrets(settings, command_environment())
    # One after the other: side by side, slow imports of one would look like another's silence.
    findings = [*check_installed(list_all=list_all), *await check_broker(settings.broker)]
    if settings.broker.is_redis and findings[-1].level is Level.FINE:
        as_redis = replace(settings.redis, url=settings.broker.url)
        findings += await check_redis(as_redis, is_broker=True)
    findings += await check_redis(settings.redis, is_broker=False)
    findings += await check_ledger(settings.ledger, migrate=migrate)
    findings += await check_providers(settings.providers)
    if ask:
        from deploy.cli.check.models import ask_models

        findings += await ask_models(settings.providers)
    findings += await check_fact_sources(settings.facts)
    findings += check_extras(settings)
    findings += await check_encoders(settings.embeddings, ask=ask)
    findings += await check_reranker(settings.search.reranker, ask=ask)
    findings += [hint("secrets", f"{each} Workers do not start without it.") for each in missing]
    findings += check_prices(settings)
    return findings
