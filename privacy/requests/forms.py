"""What a person writes into the form."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from privacy.requests.models import LONGEST_TEXT
from privacy.requests.rights import IN_WORDS, Law, Right

LONGEST_ADDRESS = 254


class RequestForm(forms.Form):
    """What is asked, under which law, in whose words; and where the answer goes, of somebody who is not signed in."""

    right = forms.ChoiceField(choices=Right, error_messages={"required": gettext_lazy("Choose what you ask for.")})
    law = forms.ChoiceField(choices=Law, initial=Law.GDPR, error_messages={"required": gettext_lazy("Choose a law.")})
    text = forms.CharField(required=False, max_length=LONGEST_TEXT)
    address = forms.EmailField(
        max_length=LONGEST_ADDRESS,
        error_messages={
            "required": gettext_lazy("Without an address nobody can answer you."),
            "invalid": gettext_lazy("This is no e-mail address. One looks like name@example.com."),
        },
    )
    form_key = forms.UUIDField(required=False)

    def __init__(self, *args: Any, signed_in: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if signed_in:
            del self.fields["address"]

    def clean_address(self) -> str:
        """Addresses that differ in capitals alone are one mailbox."""
        return str(self.cleaned_data["address"]).lower()

    def clean_form_key(self) -> Any:
        """One that is missing makes every sending a request of its own."""
        return self.cleaned_data["form_key"] or uuid4()

    def clean(self) -> None:
        """What cannot be acted upon without words needs some."""
        super().clean()
        if self.cleaned_data.get("right") in IN_WORDS and not self.cleaned_data.get("text") and not self.errors:
            self.add_error("text", _("Say in a sentence what is meant: what is wrong, or what we should stop doing."))
