"""The export: one ZIP with everything that is held about a person, by the data map and nothing beside it.

For each table a JSON and a CSV file with the fields that the map gives out, of the rows that it says are the person's;
the receipts as they were signed; and a README that says what each file is. It is made in memory and never stored.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from privacy import datamap, receipts
from privacy.datamap import Holding, Person, Section
from privacy.models import Receipt
from privacy.spreadsheets import harmless

logger = logging.getLogger(__name__)

LARGEST: Final = 200_000_000
"""Bytes of a ZIP: it is held in memory while it is sent."""
AT_ONCE: Final = 500
"""Rows that are asked of the database at a time."""


class TooLarge(Exception):
    """More than fits in memory; an operator has to make it."""


@dataclass(frozen=True)
class Part:
    """One table of the export, and how many rows of it there are."""

    holding: Holding
    rows: int

    @property
    def file(self) -> str:
        """The name of its files, without an ending."""
        return self.holding.model.lower()


class _Bounded(io.BytesIO):
    """A file in memory that refuses to grow too large."""

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > LARGEST:
            raise TooLarge
        return super().write(data)


def parts(person: Person) -> list[Part]:
    """Every table that can hold something about a person, in the order of the page "What we hold"."""
    order = list(Section)
    tables = [one for one in datamap.held() if one.is_table and (one.whose is not None or one.also)]
    return [Part(one, _count(one, person)) for one in sorted(tables, key=lambda one: order.index(one.section))]


def _count(holding: Holding, person: Person) -> int:
    return holding.of(person).count() + sum(rows.count() for rows, _names in holding.naming(person))


def archive(person: Person) -> bytes:
    """The ZIP. Raises ``TooLarge``."""
    made_at, file = timezone.now(), _Bounded()
    found = parts(person)
    with ZipFile(file, "w", ZIP_DEFLATED) as zipped:
        _member(zipped, made_at, "README.txt", iter([readme(found, made_at)]))
        for part in found:
            if part.rows:
                _member(zipped, made_at, f"json/{part.file}.json", _json(part.holding, person))
                _member(zipped, made_at, f"csv/{part.file}.csv", _csv(part.holding, person))
        mine = Receipt.objects.filter(datamap.in_groups(person)).order_by("issued_at", "id")
        for receipt in mine.iterator(AT_ONCE):
            text = receipts.encode(receipt.document).decode()
            _member(zipped, made_at, f"receipts/{receipt.pk}.json", iter([text]))
    logger.info("an export was made", extra={"count": sum(part.rows for part in found)})
    return file.getvalue()


def _member(zipped: ZipFile, at: datetime, name: str, text: Iterator[str]) -> None:
    info = ZipInfo(name, at.astimezone(UTC).timetuple()[:6])
    info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
    with zipped.open(info, "w") as member:
        for piece in text:
            member.write(piece.encode())


def rows(holding: Holding, person: Person) -> Iterator[dict[str, Any]]:
    """A table's rows that are about the person, each with what of it is the person's."""
    sets = [(holding.of(person), holding.exported()), *holding.naming(person)]
    columns = {one.name: one.attname for one in holding.table._meta.concrete_fields}
    for found, names in sets:
        for values in found.values_list(*(columns[name] for name in names)).iterator(AT_ONCE):
            yield dict(zip(names, values, strict=True))


def _json(holding: Holding, person: Person) -> Iterator[str]:
    between = "[\n"
    for row in rows(holding, person):
        yield between + json.dumps(row, ensure_ascii=False, default=_plain)
        between = ",\n"
    yield "\n]\n"


def _csv(holding: Holding, person: Person) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.DictWriter(out, holding.exported_at_all(), restval="", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    for row in rows(holding, person):
        writer.writerow({name: _cell(value) for name, value in row.items()})
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _plain(value: Any) -> Any:
    """A value that JSON has no form for."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    raise TypeError(f"an export cannot hold a {type(value).__name__}")


def _cell(value: Any) -> Any:
    """A value as a spreadsheet takes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, dict | list):
        return harmless(json.dumps(value, ensure_ascii=False, default=_plain))
    return harmless(value if isinstance(value, str) else str(_plain(value)))


def readme(found: list[Part], made_at: datetime) -> str:
    """What the ZIP holds, in words, from the map."""
    text = [
        _("What {site} holds about you").format(site=settings.SITE_URL),
        _("Made on {moment} (UTC).").format(moment=made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")),
        "",
        _("json/ and csv/ hold the same rows, one file for each table: JSON for programs, CSV for spreadsheets."),
        _("receipts/ holds your receipts as we signed them; check them at {page}.").format(
            page=settings.SITE_URL.rstrip("/") + reverse("privacy:verify")
        ),
        _("Times are in UTC. In CSV, an apostrophe before a sign such as = keeps a spreadsheet from running it."),
        "",
    ]
    section = None
    for part in found:
        if part.holding.section is not section:
            section = part.holding.section
            text += [_heading(str(section.value)), ""]
        text += _said_of(part)
    text += [_heading(_("Not in these files")), ""]
    for holding in datamap.held():
        if not holding.is_table and any(line.withheld for line in holding.lines()):
            text.append(f"{holding.title}")
            text += [f"  {line.what}, {line.period.words}. {line.withheld}" for line in holding.lines()]
            text.append("")
    return "\n".join(text)


def _heading(words: str) -> str:
    return f"{words}\n{'=' * len(words)}"


def _said_of(part: Part) -> list[str]:
    holding = part.holding
    count = ngettext("{n} row", "{n} rows", part.rows).format(n=part.rows)
    receivers = ", ".join(str(one.name) for one in holding.received_by())
    text = [
        f"{holding.title}: {f'{part.file}, {count}' if part.rows else _('nothing')}",
        f"  {holding.why}",
        "  " + _("Why we may: {basis}.").format(basis=holding.basis.value),
        "  " + _("How long: {period}.").format(period=holding.period.words),
    ]
    if receivers:
        text.append("  " + _("Who receives it: {names}.").format(names=receivers))
    for line in holding.lines():
        names = ", ".join(line.fields)
        if line.withheld:
            text.append(
                "  - "
                + _("{fields}: {what}. Not in the file: {why}").format(fields=names, what=line.what, why=line.withheld)
            )
        else:
            text.append(f"  - {names}: {line.what}.")
    return [*text, ""]
