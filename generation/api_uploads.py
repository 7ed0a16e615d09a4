"""How photos come to the API: as a form, or one alone as the body; sealed either way as they are read.

Whoever reads them has checked the key before. What no job took is destroyed by whoever called ``received``.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _

from accounts import problems
from accounts.problems import Problem
from generation import api_problems
from generation.api_wants import wrong
from generation.forms import limits
from generation.uploads import SealedUpload, SealingUploadHandler, refusal
from privacy import vault
from privacy.models import Blob

FIELDS: Final = {"image": "front", "image_left": "left", "image_back": "back", "image_right": "right"}
"""The form's file fields, and the view of the object that each is for."""

CHUNK: Final = 64 * 1024


def received(request: HttpRequest) -> tuple[dict[str, vault.Known], dict[str, str]]:
    """The sealed photos by view, and the other fields. Raises ``Problem``; no photo is left then."""
    media_type = request.content_type or ""
    _declare_length(request)
    if media_type == "multipart/form-data":
        return _form(request)
    if media_type.startswith("image/"):
        return {"front": _body(request)}, {}
    raise Problem(api_problems.MEDIA_TYPE)


def _declare_length(request: HttpRequest) -> None:
    """Of a body that came in chunks: it is here already, and Django takes one without a length for empty."""
    if "CONTENT_LENGTH" not in request.META:
        stream: Any = request._stream
        if not stream.seekable():
            return
        length = stream.seek(0, 2)
        stream.seek(0)
        request.META["CONTENT_LENGTH"] = str(length)


def _form(request: HttpRequest) -> tuple[dict[str, vault.Known], dict[str, str]]:
    request.upload_handlers = [SealingUploadHandler(request, FIELDS)]
    try:
        files, fields = request.FILES, request.POST
    except RequestDataTooBig:
        raise Problem(problems.TOO_LARGE, _("The fields beside the photo are too large.")) from None
    except TooManyFilesSent:
        raise wrong({"image": [_("One photo for each side, please.")]}) from None
    except (MultiPartParserError, SuspiciousOperation, UnicodeError):
        raise Problem(problems.MALFORMED, _("The form is not written as multipart/form-data.")) from None
    sent = {name: upload for name, upload in files.items() if isinstance(upload, SealedUpload)}
    reason = refusal(request)
    if reason:
        raise _refused(reason)
    strangers = {name: [_("This is a field for a file.")] for name in fields if name in FIELDS}
    if "image" not in sent and "image" not in strangers:
        strangers["image"] = [_("Send the photo in this field.")]
    twice = {name: [_("Sent more than once.")] for name in fields if len(fields.getlist(name)) > 1}
    if strangers or twice:
        raise wrong({**twice, **strangers})
    return {FIELDS[name]: upload.take() for name, upload in sent.items()}, {name: str(fields[name]) for name in fields}


def _refused(reason: str) -> Problem:
    match reason:
        case "too_large":
            return too_large()
        case "unavailable":
            return Problem(api_problems.STORE_AWAY, wait=60.0)
        case "interrupted":
            return Problem(api_problems.BROKEN_OFF)
        case "several_files":
            return wrong({"image": [_("One photo for each side, please.")]})
        case _:
            return wrong({"image": [_("A file came under another name. The fields are: %s.") % ", ".join(FIELDS)]})


def too_large() -> Problem:
    """The problem for a photo over the limit."""
    return Problem(problems.TOO_LARGE, _("A photo may have %(megabytes)d MB.") % limits())


def _body(request: HttpRequest) -> Blob:
    """The body alone, sealed."""
    try:
        writer = vault.write(kind="upload", group=uuid4(), limit=settings.UPLOAD_LIMIT_BYTES)
    except vault.VaultError:
        raise Problem(api_problems.STORE_AWAY, wait=60.0) from None
    try:
        while chunk := request.read(CHUNK):
            writer.write(chunk)
        return writer.commit()
    except vault.TooLarge:
        writer.abort()
        raise too_large() from None
    except vault.VaultError:
        writer.abort()
        raise Problem(api_problems.STORE_AWAY, wait=60.0) from None
    except BaseException:
        writer.abort()
        raise
