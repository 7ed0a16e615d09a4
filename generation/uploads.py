"""How a photo arrives: sealed chunk by chunk as it is parsed, never in a file, and never from a stranger.

Django calls the handler when the CSRF check reads the form, which is before any view has asked who is there. So the
handler asks first: the bytes of whoever is not signed in are forgotten as they come. The view calls ``take``; what no
view took is destroyed when the response is closed, and by the sweep after ten minutes if the process died before that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, QueryDict
from django.http.multipartparser import MultiPartParser
from django.utils.datastructures import MultiValueDict

from privacy import vault

FIELDS = {"photo": "front", "photo_left": "left", "photo_back": "back", "photo_right": "right"}
"""The form's file fields, and the view of the object that each is for (``provider.VIEWS``)."""

_REFUSAL = "upload_refusal"


class SealedUpload(UploadedFile):  # type: ignore[type-arg]  # generic in its stubs only
    """A photo in the vault: an id and a size in bytes. It has no content to read and no name of its sender's making."""

    def __init__(self, blob_id: UUID, size: int) -> None:
        super().__init__(file=None, name="photo", size=size)
        self.blob_id = blob_id
        self._settled = False

    def take(self) -> UUID:
        """The blob's id; from here on the caller answers for destroying it."""
        self._settled = True
        return self.blob_id

    def discard(self) -> None:
        """Destroy the blob and its row, unless it was taken; harmless when repeated."""
        if not self._settled:
            self._settled = True
            vault.discard(self.blob_id)

    def close(self) -> None:
        """Called by Django when the response is closed, or when parsing fails later in the form."""
        self.discard()


def refusal(request: HttpRequest) -> str:
    """Why a file of this request was not kept, once its form has been read.

    Empty, or one of: ``signed_out``, ``unexpected_field``, ``several_files``, ``too_large``, ``interrupted``,
    ``unavailable`` (the vault could not take it).
    """
    return str(getattr(request, _REFUSAL, ""))


class SealingUploadHandler(FileUploadHandler):
    """Streams one file of each of its fields into the vault; every other file is skipped.

    Made by Django, its fields are ``FIELDS``, and whoever is not signed in is a stranger. Whoever makes it with other
    ``fields`` has checked who asks.
    """

    def __init__(self, request: HttpRequest | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(request)
        self._fields = FIELDS if fields is None else fields
        self._known = fields is not None
        self._parsing = False
        self._writer: vault.SealedWriter | None = None
        self._seen: set[str] = set()

    def handle_raw_input(
        self, input_data: Any, META: dict[str, Any], content_length: int, boundary: str, encoding: Any = None
    ) -> tuple[QueryDict, MultiValueDict[str, UploadedFile[Any]]] | None:
        """Parse with Django's own parser, but inside a guard: the parser does not tell a handler of its failures."""
        if self._parsing:
            return None
        self._parsing = True
        try:
            fields, files = MultiPartParser(META, input_data, [self], encoding).parse()
        except BaseException:
            self._abort()
            raise
        if self.request is not None and refusal(self.request):
            for sealed in (upload for _, uploads in files.lists() for upload in uploads):
                sealed.close()
            files = MultiValueDict()
        return fields, files

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        """Begin a blob, or skip the file. Nothing that its sender says of it is looked at."""
        user = getattr(self.request, "user", None)
        if not self._known and (user is None or not user.is_authenticated):
            self._refuse("signed_out")
        if field_name not in self._fields:
            self._refuse("unexpected_field")
        if field_name in self._seen:
            self._refuse("several_files")
        self._seen.add(field_name)
        try:
            self._writer = vault.write(kind="upload", group=uuid4(), limit=settings.UPLOAD_LIMIT_BYTES)
        except vault.VaultError:
            self._refuse("unavailable")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Seal the next bytes."""
        assert self._writer is not None  # new_file skips the file otherwise
        try:
            self._writer.write(raw_data)
        except vault.TooLarge:
            self._refuse("too_large")
        except vault.VaultError:
            self._refuse("unavailable")

    def file_complete(self, file_size: int) -> SealedUpload | None:
        """The sealed upload, once the boundary after it has been seen."""
        assert self._writer is not None  # new_file skips the file otherwise
        try:
            blob = self._writer.commit()
        except vault.VaultError:
            self._note("unavailable")
            return None
        return SealedUpload(blob.id, blob.plain_size)

    def upload_interrupted(self) -> None:
        """The form ended inside the file."""
        self._abort()
        self._note("interrupted")

    def _refuse(self, code: str) -> None:
        self._note(code)
        raise SkipFile

    def _note(self, code: str) -> None:
        if self.request is not None:
            setattr(self.request, _REFUSAL, refusal(self.request) or code)

    def _abort(self) -> None:
        if self._writer is not None:
            self._writer.abort()
