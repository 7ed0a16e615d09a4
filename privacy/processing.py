"""The record of processing that the law wants of whoever runs a site (GDPR, article 30), made from the data map."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from privacy import datamap
from privacy.datamap import Basis, Erasure, Holding, Recipient, Section
from privacy.retention import PERIODS, length


def record() -> dict[str, Any]:
    """The record as plain values: who, which activities with which kinds of data, which periods, which measures."""
    return {
        "format": "modelmyimage-processing/1",
        "site": settings.SITE_URL,
        "contact": settings.DEFAULT_FROM_EMAIL,
        "people": [_("Visitors who sign in or buy"), _("Operators of the site")],
        "activities": [activity for section in Section if (activity := _activity(section))["data"]],
        "periods": [
            {
                "name": name,
                "covers": str(period.covers),
                "how_long": period.words,
                "enforced_by": period.by or None,
                "grace": length(period.grace) if period.grace else None,
            }
            for name, period in PERIODS.items()
        ],
        "measures": [
            _("Photos and models are sealed, each under a key of its own that is in memory only and dies by itself."),
            _("Seeds of authenticator apps and recovery codes lie encrypted; passwords as digests."),
            _("Logs hold no personal data; there is no access log."),
            _("The ledger is append-only; the database refuses changes."),
            _("What is older than its period is deleted by the clock; `manage.py audit_retention` proves it."),
        ],
        "to_be_added_by_the_operator": [
            _("Name and address of who answers for the site, of a representative and of a data protection officer"),
            _("Where the site’s own machines and mail services are, and who runs them"),
            _("What allows each transfer to another country"),
            _("Backups: what, where, how long"),
        ],
    }


def _activity(section: Section) -> dict[str, Any]:
    mine = [one for one in datamap.held() if one.section is section and one.basis is not Basis.NONE]
    return {"name": str(section.value), "data": [_kind(one) for one in mine]}


def _recipients(receives: tuple[Recipient, ...]) -> list[dict[str, Any]]:
    return [{"name": str(one.name), "each": one.each()} for one in receives]


def _kind(holding: Holding) -> dict[str, Any]:
    return {
        "name": str(holding.title),
        "table": holding.model if holding.is_table else None,
        "purpose": str(holding.why),
        "basis": str(holding.basis.value),
        "how_long": holding.period.words,
        "period": holding.keeps,
        "recipients": _recipients(holding.receives),
        "at_erasure": str(holding.erasure.value),
        "duty": str(holding.duty) if holding.erasure is Erasure.KEPT else None,
        "fields": [
            {
                "names": line.fields,
                "what": str(line.what),
                "period": line.period.name,
                "recipients": _recipients(line.receives),
                "exported": not line.withheld,
                "not_exported_because": str(line.withheld) or None,
            }
            for line in holding.lines()
        ],
    }


def markdown(found: dict[str, Any]) -> str:
    """The record as Markdown."""
    text = [f"# {_('Record of processing')}: {found['site']}", "", f"{_('Contact')}: {found['contact']}", ""]
    text += _list(_("To be added by whoever runs the site"), found["to_be_added_by_the_operator"])
    text += _list(_("Whose data"), found["people"])
    for activity in found["activities"]:
        text += [f"## {activity['name']}", ""]
        for kind in activity["data"]:
            text += _told(kind)
    text += [f"## {_('Periods')}", "", f"| {_('Period')} | {_('Covers')} | {_('How long')} | {_('Enforced by')} |"]
    text.append("|---|---|---|---|")
    for one in found["periods"]:
        by = f"`{one['enforced_by']}`" if one["enforced_by"] else ""
        text.append(f"| {one['name']} | {one['covers']} | {one['how_long']} | {by} |")
    return "\n".join([*text, "", *_list(_("Measures"), found["measures"])])


def _list(title: str, lines: list[str]) -> list[str]:
    return [f"## {title}", "", *(f"* {line}" for line in lines), ""]


def _told(kind: dict[str, Any]) -> list[str]:
    everybody = kind["recipients"] + [who for field in kind["fields"] for who in field["recipients"]]
    named = [f"{who['name']} ({', '.join(who['each'])})" if who["each"] else who["name"] for who in everybody]
    receivers = "; ".join(dict.fromkeys(named))
    return [
        f"### {kind['name']}" + (f" (`{kind['table']}`)" if kind["table"] else ""),
        "",
        f"* {_('Purpose')}: {kind['purpose']}",
        f"* {_('Legal basis')}: {kind['basis']}",
        f"* {_('How long')}: {kind['how_long']}",
        f"* {_('Recipients')}: {receivers or _('nobody else')}",
        f"* {_('What an erasure has to do')}: {kind['at_erasure']}" + (f" ({kind['duty']})" if kind["duty"] else ""),
        f"* {_('Data')}: " + "; ".join(f"{one['what']} (`{' '.join(one['names'])}`)" for one in kind["fields"]),
        "",
    ]
