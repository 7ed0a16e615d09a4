"""What a person may choose when sending a photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django import forms
from django.conf import settings
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from generation import registry
from generation.choices import BACKS, KEEP, QUALITIES
from generation.intake import STORE_DOWN, Wishes
from generation.options import FORMATS, NAMES, PRINT_MM, TRIANGLES, JobOptions
from generation.restrictions import Restrictions
from generation.uploads import FIELDS, SealedUpload
from generation.wording import said

PRINT_SIZE = format_lazy(
    _("The print size is a whole number of millimetres from {least} to {most}."), least=PRINT_MM[0], most=PRINT_MM[1]
)

TRIANGLES_ERROR = format_lazy(
    _("The number of triangles is a whole number from {least} to {most}."), least=TRIANGLES[0], most=TRIANGLES[1]
)

PRICE_LIMIT = _("The price limit is a whole number of credits, 0 or more.")

WITHOUT_COLOUR = _("A bare shape has no colours: turn off what changes them, or keep the texture.")

OPTION_FIELDS = (
    "keep_all", "back", "flatten_light", "normal_map", "print_size_mm", "untextured", "target_triangles", "format",
    "self_hosted", "no_retention", "no_training", "most_credits",
)  # fmt: skip
"""The fields under “More options”."""

MORE_PHOTOS = {
    "back": (_("The back"), _("the photo of the back")),
    "left": (_("From the left"), _("the photo from the left")),
    "right": (_("From the right"), _("the photo from the right")),
}
"""The photos beside that of the front, by view: what their fields are called, and what they are in a sentence."""

ONE_PIECE = _("A printer makes one piece: turn off “Keep everything”, or leave the print size empty.")

REFUSALS = {
    "signed_out": _("You have been signed out. Sign in, and send the photo again."),
    "unexpected_field": _("The file came under a name this form does not have. Send it in the field “photo”."),
    "several_files": _("One photo for each side, please. None was kept."),
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
    photo_left = PhotoField(required=False)
    photo_back = PhotoField(required=False)
    photo_right = PhotoField(required=False)
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
    untextured = forms.BooleanField(required=False)
    target_triangles = forms.IntegerField(
        min_value=TRIANGLES[0],
        max_value=TRIANGLES[1],
        required=False,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), TRIANGLES_ERROR),
    )
    format = forms.ChoiceField(choices=[(name, name.upper()) for name in FORMATS], initial="glb", required=False)
    self_hosted = forms.BooleanField(required=False)
    no_retention = forms.BooleanField(required=False)
    no_training = forms.BooleanField(required=False)
    most_credits = forms.IntegerField(
        min_value=0,
        max_value=100_000,
        required=False,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), PRICE_LIMIT),
    )
    request_key = forms.UUIDField(initial=uuid4, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].choices = [("", _("Best available"))] + [  # type: ignore[attr-defined]  # a ChoiceField
            (card.name, said(card.label)) for card in registry.cards()
        ]

    def clean(self) -> None:
        """Refuse choices that do not go together."""
        super().clean()
        if self.cleaned_data.get("keep_all") and self.cleaned_data.get("print_size_mm"):
            self.add_error("print_size_mm", ONE_PIECE)
        coloured = self.cleaned_data.get("flatten_light") or self.cleaned_data.get("normal_map")
        if self.cleaned_data.get("untextured") and (coloured or self.cleaned_data.get("back") == "mirrored"):
            self.add_error("untextured", WITHOUT_COLOUR)

    def explain(self, reason: str) -> None:
        """Say why the photo that was sent is not there (``uploads.refusal``), instead of asking for one."""
        self.errors.pop("photo", None)
        self.add_error("photo", REFUSALS[reason] % limits())

    def photos(self) -> dict[str, SealedUpload]:
        """The photos of a valid form, by view."""
        sent = {view: self.cleaned_data[field] for field, view in FIELDS.items()}
        return {view: photo for view, photo in sent.items() if photo is not None}

    def wishes(self) -> Wishes:
        """The choices of a valid form."""
        data = self.cleaned_data
        # What is not chosen is as usual.
        chosen = {name: data[name] for name in NAMES if data.get(name)}
        return Wishes(
            quality=data["quality"] or "standard",
            keep_minutes=data["keep"] or 60,
            provider=data["provider"],
            options=JobOptions(**chosen, texture=not data["untextured"]),
            restrictions=Restrictions(**{name: data[name] for name in ("self_hosted", "no_retention", "no_training")}),
            most_credits=data["most_credits"],
        )

    def limits_who(self) -> bool:
        """Whether the price or the receivers of this photo are limited: then the page must let one undo it."""
        return any(self[name].value() for name in ("self_hosted", "no_retention", "no_training", "most_credits"))

    def has_options(self) -> bool:
        """Whether an option is chosen, or wrong: then the page shows them without being asked."""
        usual = ("", None, False, "invented", "glb")
        return any(name in self.errors or self[name].value() not in usual for name in OPTION_FIELDS)


@dataclass(frozen=True)
class MorePhoto:
    """A field for a photo from another side: its name, the view, its label, how to say it in a sentence, its error."""

    name: str
    view: str
    label: str
    said: str
    error: str


def more_photos(form: JobForm, taken: frozenset[str]) -> list[MorePhoto]:
    """The fields beside the front's, for the views that are ``taken``; in the order in which they help most."""
    names = {view: name for name, view in FIELDS.items()}
    return [
        MorePhoto(names[view], view, str(label), str(said), " ".join(map(str, form.errors.get(names[view]) or [])))
        for view, (label, said) in MORE_PHOTOS.items()
        if view in taken
    ]


def limits() -> dict[str, int]:
    """The limits the page shows and checks before sending."""
    from generation import images

    return {
        "megabytes": settings.UPLOAD_LIMIT_BYTES // 1_000_000,
        "min_side": images.MIN_SIDE,
        "megapixels": images.MAX_PIXELS // 1_000_000,
    }
