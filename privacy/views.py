"""Pages on which anybody, signed in or not, checks a receipt."""

from pathlib import Path

from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from privacy import receipts

VERIFIER = Path(__file__).resolve().parent.parent / "verifier" / "verify.py"


@csrf_exempt  # changes nothing, so there is nothing to forge
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Shows the form, or what is to be said of a receipt pasted as ``document`` or sent as the file ``file``."""
    context: dict[str, object] = {"verification": None, "document": "", "receipt": None, "digest": ""}
    if request.method == "POST":
        # A receipt is small and not secret; the site's own handler takes photos only.
        request.upload_handlers = [MemoryFileUploadHandler(request)]
        sent = _sent(request)
        if not sent:
            return render(request, "privacy/verify.html", context | {"missing": True}, status=422)
        parsed = receipts.parse(sent)
        context = {
            "verification": receipts.verify(sent),
            "document": sent.decode(errors="replace")[: receipts.LARGEST_DOCUMENT],
            "receipt": parsed and parsed["receipt"],
            "paper": parsed,
            "digest": receipts.digest(parsed) if parsed else "",
        }
    return render(request, "privacy/verify.html", context)


def _sent(request: HttpRequest) -> bytes:
    file = request.FILES.get("file")
    if file is not None:
        # One byte over is enough to be told apart from what is allowed.
        return bytes(file.read(receipts.LARGEST_DOCUMENT + 1))
    return request.POST.get("document", "").strip().encode(errors="replace")


@require_safe
@cache_control(public=True, max_age=300)
def keys(request: HttpRequest) -> JsonResponse:
    """The public keys that receipts are signed by, for whoever checks them with tools of their own."""
    return JsonResponse({"format": "modelmyimage-keys/1", "keys": receipts.public_keys()})


@require_safe
@cache_control(public=True, max_age=300)
def verifier(request: HttpRequest) -> HttpResponse:
    """The program that checks a receipt without us."""
    named = content_disposition_header(as_attachment=True, filename=VERIFIER.name)
    told = {"Content-Type": "text/x-python; charset=utf-8", "Content-Disposition": named}
    return HttpResponse(VERIFIER.read_bytes(), headers=told)
