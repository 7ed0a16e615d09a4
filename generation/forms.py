"""What a person may choose when sending a photo."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from generation import registry
from generation.choices import BACKS, KEEP, QUALITIES
from generation.intake import STORE_DOWN, Wishes
from generation.options import NAMES, PRINT_MM, JobOptions
from generation.uploads import SealedUpload

PRINT_SIZE = format_lazy(
    _("The print size is a whole number of millimetres from {least} to {most}."), least=PRINT_MM[0], most=PRINT_MM[1]
)

ONE_PIECE = _("A printer makes one piece: turn off “Keep everything”, or leave the print size empty.")

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
    keep_all = forms.BooleanField(required=False)
    back = forms.ChoiceField(choices=BACKS, initial="invented", required=False)
    flatten_light = forms.BooleanField(required=False)
    normal_map = forms.BooleanField(required=False)
    print_size_mm = forms.IntegerField(
        min_value=PRINT_MM[0],
        max_value=PRINT_MM[1],
        required=False,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), PRINT_SIZE),
    )
    request_key = forms.UUIDField(initial=uuid4, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].choices = [("", _("Best available"))] + [  # type: ignore[attr-defined]  # a ChoiceField
            (card.name, card.label) for card in registry.cards()
        ]

    def clean(self) -> None:
        """Refuse choices that do not go together."""
        super().clean()
        if self.cleaned_data.get("keep_all") and self.cleaned_data.get("print_size_mm"):
            self.add_error("print_size_mm", ONE_PIECE)

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
            # What is not chosen is as usual.
            options=JobOptions(**{name: self.cleaned_data[name] for name in NAMES if self.cleaned_data[name]}),
        )

    def has_options(self) -> bool:
        """Whether an option is chosen, or wrong: then the page shows them without being asked."""
        usual = ("", None, False, "invented")
        return any(name in self.errors or self[name].value() not in usual for name in NAMES)


def limits() -> dict[str, int]:
    """The limits the page shows and checks before sending."""
    from generation import images

    return {
        "megabytes": settings.UPLOAD_LIMIT_BYTES // 1_000_000,
        "min_side": images.MIN_SIDE,
        "megapixels": images.MAX_PIXELS // 1_000_000,
    }
