"""The guides' pages. The same for everybody; a question that is asked is answered and forgotten."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from guides.search import MOST_CHARACTERS, search
from guides.shelf import PARTS, Group, Part
from guides.text import Guide, guides
from trust import translations


@gzip_page
@require_safe
def contents(request: HttpRequest) -> HttpResponse:
    """Every guide, by its readers, and the decisions."""
    return render(request, "guides/contents.html", {"shelf": _shelf(), "decisions": _of(None), "asks": MOST_CHARACTERS})


@gzip_page
@require_safe
def guide(request: HttpRequest, name: str) -> HttpResponse:
    """One guide."""
    found = guides(translations.language()).get(name)
    if found is None:
        raise Http404
    shown = guides()[name] if request.GET.get("lang") == translations.ENGLISH else found
    context = {
        "guide": shown,
        "foreign": translations.language() != translations.ENGLISH,
        "translated": found.language != translations.ENGLISH,
        "beside": _of(found.part) if found.part else [],
        "asks": MOST_CHARACTERS,
    }
    return render(request, "guides/guide.html", context)


@gzip_page
@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """What a question finds. The script takes its list from this same page."""
    question = request.GET.get("q", "")[:MOST_CHARACTERS].strip()
    context = {"question": question, "hits": search(question, translations.language()), "asks": MOST_CHARACTERS}
    return render(request, "guides/results.html", context)


def _of(part: Part | None) -> list[Guide]:
    return [one for one in guides(translations.language()).values() if one.part == part]


def _shelf() -> list[tuple[Part, list[tuple[Group, list[Guide]]]]]:
    found = guides(translations.language())
    return [
        (part, [(group, [found[name] for name in group.files if name in found]) for group in part.groups])
        for part in PARTS
    ]
