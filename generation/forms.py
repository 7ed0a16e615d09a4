"""What a person may choose when sending a photo."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from generation import registry
from generation.intake import STORE_DOWN, Wishes
from generation.uploads import SealedUpload

QUALITIES = [("draft", _("Draft")), ("standard", _("Standard")), ("high", _("Fine"))]
KEEP = [(10, _("10 minutes")), (60, _("1 hour")), (1440, _("24 hours"))]


REFUSALS = {
    "signed_out": _("You have been signed out. Sign in, and send the photo again."),
    "unexpected_field": _("The file came under a name this form does not have. Send it in the field “photo”."),
    "several_files": _("One photo at a time, please. None was kept."),
    "too_large": _("The photo is larger than %(megabytes)d MB. Send a smaller copy."),
    "interrupted": _("The connection broke while sending. What had arrived is destroyed; send the photo again."),
    "unavailable": STORE_DOWN,
}


class PhotoField(forms.Field):
    """A photo that was sealed as it streamed in (``generation.uploads``)."""

    widget = forms.FileInput

    def to_python(self, value: Any) -> SealedUpload | None:
        """The sealed upload; anything else did not come as the file field of this form."""
        return value if isinstance(value, SealedUpload) else None


class JobForm(forms.Form):
    """The create page's form."""

    photo = PhotoField(error_messages={"required": _("Choose a photo first.")})
    quality = forms.ChoiceField(choices=QUALITIES, initial="standard", required=False)
    keep = forms.TypedChoiceField(choices=KEEP, coerce=int, initial=60, required=False)
    provider = forms.ChoiceField(required=False)
    request_key = forms.UUIDField(initial=uuid4, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].choices = [("", _("Best available"))] + [  # type: ignore[attr-defined]  # a ChoiceField
            (card.name, card.label) for card in registry.cards()
        ]

    def explain(self, reason: str) -> None:
        """Say why the photo that was sent is not there (``uploads.refusal``), instead of asking for one."""
        self.errors.pop("photo", None)
        self.add_error("photo", REFUSALS[reason] % limits())

    def wishes(self) -> Wishes:
        """The choices of a valid form."""
        return Wishes(
            quality=self.cleaned_data["quality"] or "standard",
            keep_minutes=self.cleaned_data["keep"] or 60,
            provider=self.cleaned_data["provider"],
        )


def limits() -> dict[str, int]:
    """The limits the page shows and checks before sending."""
    from generation import images

    return {
        "megabytes": settings.UPLOAD_LIMIT_BYTES // 1_000_000,
        "min_side": images.MIN_SIDE,
        "megapixels": images.MAX_PIXELS // 1_000_000,
    }
