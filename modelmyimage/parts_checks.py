"""System checks of how a site speaks to its parts: by TLS whose certificates are looked at, with passwords that nobody
guesses, and with no more right than it needs.

``PRIVATE_HOSTS`` names servers that need no TLS, since nobody else is on the way: they are on this machine's own
network of containers, or on one that is encrypted below us. What is on this very host (loopback, sockets) needs no
naming.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connection

LOOPBACK: Final = {"", "localhost", "127.0.0.1", "::1"}
CHECKED: Final = {"verify-ca", "verify-full"}
"""Values of ``sslmode`` with which libpq looks at the certificate."""
UNCHECKED: Final = {"none", "cert_none", "optional", "cert_optional"}
SHORTEST: Final = 16
"""Characters of a password."""
FEWEST: Final = 8
"""How many different ones are in it."""
KEYS: Final = ("SECRET_KEY", "MASTER_KEYS", "SIGNING_KEYS", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
ADDRESSES: Final = ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "KEYSTORE_URL", "EMAIL_URL")
"""Variables with a secret in them; in addresses, if there is a password."""


def _servers() -> Iterator[tuple[str, str]]:
    """The name of each setting with a server like Redis in it, and its address."""
    yield "BROKER_URL", settings.CELERY_BROKER_URL
    yield "CACHE_URL", settings.CACHES["default"]["LOCATION"]
    yield "KEYSTORE_URL", settings.KEYSTORE_URL


def _far(host: str | None) -> bool:
    """Whether somebody may be on the way there."""
    return not _here(host) and (host or "") not in settings.PRIVATE_HOSTS


def _here(host: str | None) -> bool:
    return (host or "") in LOOPBACK or str(host).startswith("/")


@register(Tags.security, deploy=True)
def parts_are_reached_by_tls(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Messages, books and wrapped keys would pass in clear, or to whoever answers first."""
    found: list[CheckMessage] = []
    hint = "Or name the host in PRIVATE_HOSTS, if nobody else is on the way: docs/configuration.md."
    database = settings.DATABASES["default"]
    if not database["ENGINE"].endswith("sqlite3") and _far(database.get("HOST")):
        mode = database.get("OPTIONS", {}).get("sslmode", "")
        if mode not in CHECKED:
            text = "DATABASE_URL: Postgres is reached without TLS, or whoever answers is believed."
            found.append(Error(text, hint=f"End it with ?sslmode=verify-full. {hint}", id="modelmyimage.E012"))
    for name, address in _servers():
        url = urlsplit(address)
        if url.scheme in {"unix", "redis+socket"} or not _far(url.hostname):
            continue
        asked = {value.lower() for value in parse_qs(url.query).get("ssl_cert_reqs", [])}
        if url.scheme != "rediss" or asked & UNCHECKED:
            text = f"{name}: the server is reached without TLS, or whoever answers is believed."
            found.append(Error(text, hint=f"Begin it with rediss://. {hint}", id="modelmyimage.E013"))
    watcher = urlsplit(settings.OTEL_EXPORTER_OTLP_ENDPOINT)
    if watcher.scheme == "http" and _far(watcher.hostname):
        text = "OTEL_EXPORTER_OTLP_ENDPOINT: traces leave without TLS."
        found.append(Error(text, hint=f"Begin it with https://. {hint}", id="modelmyimage.E014"))
    return found


@register(Tags.security, deploy=True)
def parts_ask_for_a_password(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Whoever gets onto the network would try none, and then those that products come with."""
    found: list[CheckMessage] = []
    database = settings.DATABASES["default"]
    asked = [(name, urlsplit(address).hostname, urlsplit(address).password) for name, address in _servers()]
    if not database["ENGINE"].endswith("sqlite3") and "sslcert" not in database.get("OPTIONS", {}):
        asked.append(("DATABASE_URL", database.get("HOST"), database.get("PASSWORD")))
    for name, host, password in asked:
        said = unquote(password or "")
        if not _here(host) and (len(said) < SHORTEST or len(set(said)) < FEWEST):
            text = f"{name} has no password in it, or one that could be guessed."
            hint = f"At least {SHORTEST} characters, made by a machine; each server has its own."
            found.append(Error(text, hint=hint, id="modelmyimage.E015"))
    return found


@register(Tags.security, deploy=True)
def the_database_gives_no_more_than_is_needed(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Who may do everything in Postgres may switch off what keeps the books. Of a database that is away, nothing."""
    if connection.vendor != "postgresql":
        return []
    told = {name: value for name, value in connection.get_connection_params().items() if name in
            {"dbname", "host", "password", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "user"}}  # fmt: skip
    asked = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles"
    try:
        with psycopg.connect(**told, connect_timeout=3) as opened:
            row = opened.execute(f"{asked} WHERE rolname = current_user").fetchone()
    except psycopg.OperationalError:
        return []
    if not row or not row[0]:
        return []
    text = "The site's role in Postgres may do more than own its database."
    hint = "Give it a role that owns its database and is no superuser: docs/deploy.md."
    return [Warning(text, hint=hint, id="modelmyimage.W003")]


@register(Tags.security, deploy=True)
def secrets_are_handed_over_in_files(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """An environment is inherited by whatever is started, shown by tools, and kept by those who report crashes."""
    told = {name: os.environ.get(name, "") for name in (*KEYS, *ADDRESSES)}
    bare = [name for name, value in told.items() if (urlsplit(value).password if name in ADDRESSES else value)]
    if not bare:
        return []
    text = f"In the environment, for all to read who see it: {', '.join(bare)}."
    hint = "Let your secrets' manager write files, and name each: SECRET_KEY_FILE=/run/secrets/secret_key."
    return [Warning(text, hint=hint, id="modelmyimage.W004")]


@register(Tags.security, deploy=True)
def logs_leave_the_machine(app_configs: Sequence[AppConfig] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Whoever takes a machine takes what it wrote about how."""
    if settings.LOGS_TO:
        return []
    text = "Nobody has said where logs are kept beside this machine."
    hint = "Send them away by TLS, and say where in LOGS_TO: docs/deploy.md."
    return [Warning(text, hint=hint, id="modelmyimage.W005")]
