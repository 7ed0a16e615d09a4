"""Deployments in which destroying would not destroy are refused by ``manage.py check --deploy``.

A key store that writes to disk, copies itself or is shared, a bucket that keeps versions, never expires or is open to
strangers, and an upload path that spools to disk: each breaks the promise without any error at run time. Periods are
checked in retention_checks.py.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import redis
from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from privacy import named_keys
from privacy.errors import Unavailable
from privacy.retention import RETENTION
from privacy.stores import store

if TYPE_CHECKING:  # boto3 costs a fifth of a start, and a site that keeps its objects in a folder needs none of it
    from privacy.stores.s3 import S3Store

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@register(Tags.security)
def uploads_stay_in_memory(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Django writes bodies over its threshold, and files of its own handlers, to disk in plaintext."""
    found: list[CheckMessage] = []
    if settings.FILE_UPLOAD_MAX_MEMORY_SIZE <= settings.UPLOAD_LIMIT_BYTES:
        found.append(
            Error(
                "FILE_UPLOAD_MAX_MEMORY_SIZE is not above UPLOAD_LIMIT_BYTES: large photos would be written to disk.",
                id="privacy.E001",
            )
        )
    if settings.FILE_UPLOAD_HANDLERS != ["generation.uploads.SealingUploadHandler"]:
        found.append(Error("FILE_UPLOAD_HANDLERS holds a handler that does not seal.", id="privacy.E002"))
    return found


@register(Tags.security, deploy=True)
def keystore_is_volatile(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Keys must be on no disk and in no backup, so their server writes nothing and serves nothing else."""
    try:
        client = redis.Redis.from_url(settings.KEYSTORE_URL, socket_timeout=5, socket_connect_timeout=2)
        run_id = _run_id(client)
    except redis.RedisError:
        return [Warning("The key store could not be reached, so its settings are not known.", id="privacy.W001")]
    found: list[CheckMessage] = []
    if _copies(client):
        found.append(
            Error(
                "The key store has replicas, or is one: keys would be on machines that do not drop them with it.",
                hint="One server, without replication.",
                id="privacy.E014",
            )
        )
    try:
        save = _option(client, "save")
        appendonly = _option(client, "appendonly")
    except redis.RedisError:
        found.append(
            Warning(
                "The key store does not tell its settings.", hint="See that it persists nothing.", id="privacy.W002"
            )
        )
    else:
        if save or appendonly != "no":
            found.append(
                Error(
                    "The key store writes keys to disk.",
                    hint="Start it with --save '' --appendonly no.",
                    id="privacy.E003",
                )
            )
    for name, url in (("broker", settings.CELERY_BROKER_URL), ("cache", settings.CACHES["default"].get("LOCATION"))):
        if _is_same(url, run_id):
            found.append(
                Error(
                    f"The key store is the same server as the {name}.",
                    hint="Give KEYSTORE_URL a server of its own.",
                    id="privacy.E004",
                )
            )
    return found


@register(Tags.security, deploy=True)
def wrapped_keys_open(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A key service that refuses would be found out only when the first photo arrives."""
    found: list[CheckMessage] = []
    for setting in ("MASTER_KEYS", "SIGNING_KEYS"):
        try:
            entries = named_keys.parse(setting, getattr(settings, setting))
        except ImproperlyConfigured:
            continue  # said elsewhere
        for entry in entries.values():
            try:
                size = len(entry.key())
            except Unavailable as error:
                found.append(Error(f"{setting}: {error}", id="privacy.E016"))
            else:
                if size != named_keys.KEY_BYTES:
                    found.append(Error(f"{setting}: what {entry.name!r} opens to is no key.", id="privacy.E016"))
    return found


@register(Tags.security, deploy=True)
def bucket_forgets(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A bucket must keep no versions, has lifecycle rules as the second net, and is spoken to by TLS."""
    if urlsplit(settings.STORE_URL).scheme != "s3":
        return []
    found: list[CheckMessage] = []
    endpoint = urlsplit(settings.S3_ENDPOINT_URL)
    if endpoint.scheme == "http" and endpoint.hostname not in _LOOPBACK:
        found.append(Error("S3_ENDPOINT_URL is not https.", id="privacy.E005"))
    bucket = cast("S3Store", store())
    try:
        versioning, rules = bucket.versioning(), bucket.lifecycle_rules()
    except Unavailable as error:
        return [*found, Warning(f"The bucket does not tell its settings. {error}", id="privacy.W003")]
    if versioning:
        found.append(
            Error(
                f"The bucket's versioning is {versioning}: deleted objects could be brought back.",
                hint="Use a bucket that never had versioning on.",
                id="privacy.E006",
            )
        )
    prefixes = {f"{bucket.prefix}{period.lifetime}/" for period in RETENTION.values()}
    bare = sorted(prefix for prefix in prefixes if not any(_covers(rule, prefix) for rule in rules))
    if bare:
        found.append(
            Error(
                f"No lifecycle rule expires objects and unfinished uploads below {', '.join(bare)} within 2 days.",
                hint="docs/configuration.md has a rule to copy.",
                id="privacy.E007",
            )
        )
    return found


@register(Tags.security, deploy=True)
def bucket_is_closed(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """What is in it is sealed, but when each object came and how large it is concerns nobody either."""
    if urlsplit(settings.STORE_URL).scheme != "s3":
        return []
    try:
        opened_by = cast("S3Store", store()).opened_by()
    except Unavailable as error:
        return [Warning(f"The bucket does not tell who may read it. {error}", id="privacy.W007")]
    if not opened_by:
        return []
    return [
        Error(
            f"The bucket is open to strangers by its {opened_by}.",
            hint="Block public access, and grant this site's account alone.",
            id="privacy.E015",
        )
    ]


def _run_id(client: redis.Redis) -> str:
    return str(client.info("server").get("run_id", ""))


def _copies(client: redis.Redis) -> bool:
    told = client.info("replication")
    return told.get("role") != "master" or int(told.get("connected_slaves", 0)) > 0


def _option(client: redis.Redis, name: str) -> str:
    return str(cast("dict[str, str]", client.config_get(name)).get(name, ""))


def _is_same(url: str | None, run_id: str) -> bool:
    """Whether the server at ``url`` is the one with this run id; one that cannot be asked is not known to be."""
    # Kombu's and Django's own options mean nothing to the client.
    address = (url or "").replace("redis+socket://", "unix://", 1).partition("?")[0]
    try:
        other = redis.Redis.from_url(address, socket_timeout=5, socket_connect_timeout=2)
        return bool(run_id) and _run_id(other) == run_id
    except (redis.RedisError, ValueError):
        return False


def _covers(rule: dict[str, Any], prefix: str) -> bool:
    """Whether an S3 lifecycle rule is on, holds for the prefix, and ends objects and unfinished uploads in time."""
    narrowed = rule.get("Filter", {})
    where = narrowed.get("Prefix", rule.get("Prefix", ""))
    return (
        rule.get("Status") == "Enabled"
        and not set(narrowed) - {"Prefix"}
        and prefix.startswith(where)
        and 0 < rule.get("Expiration", {}).get("Days", 0) <= 2
        and 0 < rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation", 0) <= 2
    )
