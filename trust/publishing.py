"""When a document's text becomes a version, and when that takes effect.

The text that the code renders is compared with the newest version; the same is nothing, another is a new version. It is
of substance when its file says so (``substance`` was raised), when a kind of thing is held that was not held before, or
somebody receives data who was not on the list, or either on other terms. Of substance: it takes effect ``NOTICE_DAYS``
later, and people are told at once (``trust/notices.py``). Anything else holds at once, but never before a version that
was published earlier.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_noop
from redis import RedisError

from trust import facts, texts
from trust.models import Document, Version

CHANGES_KEY = "document-changes"
FIRST = gettext_noop("The first version.")
WORDING = gettext_noop("Wording, and values that come from the program. Nothing of substance.")
"""Both are stored in English, and translated when they are read."""
PARTS = ("holds", "receives")
"""Lists in a mark, by name and terms: a new name, or other terms, is a change of substance."""


def in_force(document: str) -> Version:
    """The version that holds now; on a site that has none yet, the first is published by whoever looks first."""
    found: Version | None = Version.objects.in_force(document)
    while found is None:
        publish_one(document)
        found = Version.objects.in_force(document)
    return found


def publish() -> list[Version]:
    """Publish each document that says something new; repeating it is harmless. Raises ``texts.UnknownName``."""
    return [version for document in Document if (version := publish_one(document))]


def publish_one(document: str) -> Version | None:
    """The new version, or ``None`` if there is nothing new, or another process is just publishing it.

    Documents are in one language, whatever the reader's is: what is agreed to has one wording.
    """
    with translation.override(settings.LANGUAGE_CODE):
        return _publish_one(document)


def _publish_one(document: str) -> Version | None:
    newest: Version | None = Version.objects.of(document).first()
    now = timezone.now()
    text, mark = rendered(document, now)
    if newest is not None and newest.text == text:
        return None
    substance = newest is not None and is_substantial(newest.mark, mark)
    effective_at = now + timedelta(days=settings.NOTICE_DAYS) if substance else now
    version = Version(
        document=document,
        number=newest.number + 1 if newest else 1,
        text=text,
        mark=mark,
        substance=substance,
        summary=_summary(newest, mark, document),
        published_at=now,
        effective_at=max(effective_at, newest.effective_at) if newest else now,
    )
    try:
        with transaction.atomic():
            version.save()
    except IntegrityError:
        return None
    forget_changes()
    return version


def values(document: str, now: datetime) -> dict[str, Any]:
    """What a document's names stand for at this moment, in the language that is active."""
    since = listed_since() if document == Document.SUB_PROCESSORS else {}
    return facts.values(since=since, today=now.date())


def rendered(document: str, now: datetime) -> tuple[str, dict[str, Any]]:
    """What the code says at this moment, and its mark."""
    filled = values(document, now)
    source = texts.source(document)
    mark: dict[str, Any] = {"substance": source.substance}
    if document == Document.PRIVACY:
        mark["holds"] = facts.kinds_held()
    if document == Document.SUB_PROCESSORS:
        mark["receives"] = {one.name: one.terms for one in filled["receivers"]}
        mark["coming"] = [one.name for one in filled["receivers"] if one.coming]
    return texts.render(source.template, filled), mark


def listed_since() -> dict[str, str]:
    """For each receiver on the newest list, since which day (ISO) it has been there without a break."""
    since: dict[str, str] = {}
    for version in Version.objects.of(Document.SUB_PROCESSORS).order_by("number"):
        here = set(version.mark["receives"]) - set(version.mark["coming"])
        day = version.published_at.date().isoformat()
        since = {name: since.get(name, day) for name in here}
    return since


def is_substantial(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether people have to be told before: by the file's word, or by who receives what on which terms."""
    news = [name for part in PARTS for name in _news(old.get(part, {}), new.get(part, {}))]
    return bool(new["substance"] > old["substance"] or news)


def _news(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [name for name, terms in after.items() if before.get(name) != terms]


def _summary(newest: Version | None, mark: dict[str, Any], document: str) -> str:
    """What changed, in a sentence."""
    if newest is None:
        return FIRST
    said = []
    if mark["substance"] != newest.mark["substance"]:
        said.append(texts.source(document).summary)
    for part in PARTS:
        before, after = newest.mark.get(part, {}), mark.get(part, {})
        if new := [name for name in after if name not in before]:
            said.append(f"New on the list: {', '.join(new)}.")
        if changed := [name for name in _news(before, after) if name in before]:
            said.append(f"On other terms: {', '.join(changed)}.")
        if gone := [name for name in before if name not in after]:
            said.append(f"No longer on the list: {', '.join(gone)}.")
    return " ".join(said) or WORDING


def changes() -> list[Version]:
    """Changes of substance that are coming, or took effect within ``facts.TOLD_FOR``; kept a minute for everybody."""
    try:
        found: list[Version] | None = cache.get(CHANGES_KEY)
    except RedisError:
        return list(_changes())
    if found is None:
        found = list(_changes())
        cache.set(CHANGES_KEY, found, 60)
    return found


def _changes() -> Iterable[Version]:
    recent = Version.objects.filter(substance=True, effective_at__gt=timezone.now() - facts.TOLD_FOR)
    return recent.defer("text", "mark").order_by("effective_at", "pk")


def forget_changes() -> None:
    """Have the next look ask the database."""
    try:
        cache.delete(CHANGES_KEY)
    except RedisError:
        return  # it is forgotten within a minute anyway
