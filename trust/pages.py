"""Pages of our documents: what holds now and what is coming, every version, and what changed between two."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from accounts.models import User
from trust import difference as differences
from trust import facts, publishing, reading, shown, translations
from trust.models import Document, Shown, Version

SHORT = {"faq": "trust/faq.html", "about": "trust/about.html"}
"""Pages that are made from the same values, and promise nothing that is not in a document."""


@gzip_page
@require_safe
def current(request: HttpRequest, document: str) -> HttpResponse:
    """The version in force, and a word of the one that is coming."""
    version = publishing.in_force(document)
    if isinstance(request.user, User):
        shown.note(request.user, [version], Shown.How.PAGE)
    return _page(request, version, document)


@gzip_page
@require_safe
def version(request: HttpRequest, document: str, number: int) -> HttpResponse:
    """One version as it was published, whether it holds or not."""
    found = get_object_or_404(Version.objects.of(document), number=number)
    if isinstance(request.user, User):
        shown.note(request.user, [found], Shown.How.PAGE)
    return _page(request, found, document)


def _page(request: HttpRequest, found: Version, document: str) -> HttpResponse:
    in_force = publishing.in_force(document)
    listed, receiving = set(in_force.mark.get("receives", {})), set(facts.receiving())
    lists = document == Document.SUB_PROCESSORS
    context = {
        "version": found,
        "document": document,
        "in_force": in_force,
        "coming": list(Version.objects.coming(document).order_by("number")),
        "text": reading.of_version(found, english=_english(request)),
        "others": [(one.value, one.label) for one in Document],
        "early": sorted(receiving - listed) if lists else [],
    }
    return render(request, "trust/document.html", context)


@gzip_page
@require_safe
def versions(request: HttpRequest, document: str) -> HttpResponse:
    """All versions, the newest first."""
    in_force = publishing.in_force(document)
    found = Version.objects.of(document).defer("text", "mark")
    context = {"versions": found, "in_force": in_force, "document": document, "title": Document(document).label}
    return render(request, "trust/versions.html", context)


@gzip_page
@require_safe
def difference(request: HttpRequest, document: str) -> HttpResponse:
    """What changed from the version ``from`` to the version ``to``; without them, from the last but one to the last."""
    publishing.in_force(document)
    found = {one.number: one for one in Version.objects.of(document)}
    last = max(found)
    old, new = _number(request, "from", max(1, last - 1)), _number(request, "to", last)
    known = old in found and new in found
    context = {
        "document": document,
        "title": Document(document).label,
        "versions": sorted(found),
        "from": found.get(old),
        "to": found.get(new),
        "changes": differences.between(found[old].text, found[new].text) if known else [],
        "unknown": not known,
    }
    return render(request, "trust/difference.html", context, status=200 if known else 404)


def _number(request: HttpRequest, name: str, default: int) -> int:
    """A version's number from the query; 0, which is none, for what is no number."""
    said = request.GET.get(name, "")
    if not said:
        return default
    return int(said) if said.isdecimal() and len(said) < 7 else 0


@gzip_page
@require_safe
def short(request: HttpRequest, name: str) -> HttpResponse:
    """Questions people ask, and what this is; not versioned, since nothing is promised here."""
    if name not in SHORT:
        raise Http404
    text = reading.of_short(name, english=_english(request))
    return render(request, SHORT[name], {"text": text})


def _english(request: HttpRequest) -> bool:
    """Whether the reader asks for the English text, whatever their language."""
    return request.GET.get("lang") == translations.ENGLISH
