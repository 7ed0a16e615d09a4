"""What a person may choose about their spending."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from billing.models import Preferences

MOST = 1_000_000_000
"""More credits than anybody has."""
WHOLE_NUMBER = _("A whole number of credits, 0 or more; empty for none.")


ERRORS = {"invalid": WHOLE_NUMBER, "min_value": WHOLE_NUMBER, "max_value": WHOLE_NUMBER}


class SpendingForm(forms.Form):
    """The monthly limit and the notice; each may be empty."""

    monthly_limit = forms.IntegerField(required=False, min_value=0, max_value=MOST, error_messages=ERRORS)
    notice_below = forms.IntegerField(required=False, min_value=0, max_value=MOST, error_messages=ERRORS)

    def save(self, user: User) -> None:
        """Keep the choices of a valid form. Another threshold may bring another notice."""
        kept, _new = Preferences.objects.get_or_create(user=user)
        if kept.notice_below != self.cleaned_data["notice_below"]:
            kept.noticed_at = None
        kept.monthly_limit = self.cleaned_data["monthly_limit"]
        kept.notice_below = self.cleaned_data["notice_below"]
        kept.save()
