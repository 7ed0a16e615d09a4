"""Who runs this site, where, and with whose machines: as they say it in the settings, and plainly when they do not."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from generation import choices


class Malformed(Exception):
    """An entry of a setting has not the parts it must have."""


@dataclass(frozen=True)
class Operator:
    """Whoever answers for the site; each part is empty where nobody said it."""

    name: str
    address: str
    email: str
    country: str
    law: str
    authority: str


@dataclass(frozen=True)
class Host:
    """A company whose machines or services the site uses."""

    name: str
    region: str
    purpose: str


@dataclass(frozen=True)
class Certification:
    """A certificate, and the address where its evidence is."""

    name: str
    evidence: str


def known() -> Operator:
    """Who runs the site."""
    return Operator(
        name=settings.OPERATOR_NAME,
        address=settings.OPERATOR_ADDRESS,
        email=settings.CONTACT_EMAIL,
        country=choices.region(settings.OPERATOR_REGION) if settings.OPERATOR_REGION else "",
        law=settings.GOVERNING_LAW,
        authority=settings.SUPERVISORY_AUTHORITY,
    )


def hosts() -> list[Host]:
    """``HOSTING``: whose machines, mail services and the like are used. Raises ``Malformed``."""
    return [Host(*_parts("HOSTING", entry, 3)) for entry in settings.HOSTING]


def certifications() -> list[Certification]:
    """``CERTIFICATIONS``: only with the address of what proves them. Raises ``Malformed``."""
    found = [Certification(*_parts("CERTIFICATIONS", entry, 2)) for entry in settings.CERTIFICATIONS]
    if any(not one.evidence.startswith("https://") for one in found):
        raise Malformed("CERTIFICATIONS: evidence is an address that begins with https://")
    return found


def _parts(setting: str, entry: str, count: int) -> list[str]:
    parts = [part.strip() for part in entry.split("|")]
    if len(parts) != count or not all(parts):
        raise Malformed(f"{setting}: {entry!r} does not have {count} parts with | between them")
    return parts
