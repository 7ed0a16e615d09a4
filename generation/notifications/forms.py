"""What a person may choose about a webhook."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from generation.models import Webhook
from generation.notifications import targets
from generation.notifications.messages import KINDS


class WebhookForm(forms.Form):
    """A webhook's address and what it is told."""

    url = forms.CharField(error_messages={"required": _("Give the address that we are to call.")})
    description = forms.CharField(
        max_length=60, required=False, error_messages={"max_length": _("At most 60 characters.")}
    )
    kinds = forms.MultipleChoiceField(
        choices=list(KINDS.items()),
        initial=list(KINDS),
        error_messages={"required": _("Choose at least one thing that it is told of.")},
    )

    @classmethod
    def of(cls, webhook: Webhook) -> WebhookForm:
        """The form with a webhook's present choices."""
        return cls(initial={"url": webhook.url, "description": webhook.description, "kinds": webhook.kinds})

    def clean_url(self) -> str:
        """The address, in its usual form."""
        try:
            return targets.checked(self.cleaned_data["url"])
        except targets.BadAddress as bad:
            raise forms.ValidationError(str(bad.message)) from None

    def clean_kinds(self) -> list[str]:
        """The kinds, in the order in which they happen."""
        return [kind for kind in KINDS if kind in self.cleaned_data["kinds"]]

    def choices(self) -> dict[str, Any]:
        """What ``subscribing.make`` and ``subscribing.change`` take, of a valid form."""
        return dict(self.cleaned_data)
