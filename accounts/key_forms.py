"""What a person may choose about an access key, and about giving it a new secret."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from ipaddress import ip_network
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from accounts import keys
from accounts.models import AccessKey
from accounts.scopes import SCOPES, USUAL

MOST_CREDITS = 1_000_000_000
MOST_NETWORKS = 20
WHOLE_NUMBER = later("A whole number of credits, 0 or more; empty for no limit.")

OVERLAPS = [
    ("0", later("It stops at once")),
    ("1", later("It works for 1 hour more")),
    ("24", later("It works for 24 hours more")),
    ("168", later("It works for 7 days more")),
]


class KeyForm(forms.Form):
    """A key's name and what it may do."""

    name = forms.CharField(
        max_length=60,
        error_messages={
            "required": later("Give it a name, so that you know it again."),
            "max_length": later("At most 60 characters."),
        },
    )
    description = forms.CharField(
        max_length=300, required=False, error_messages={"max_length": later("At most 300 characters.")}
    )
    scopes = forms.MultipleChoiceField(
        choices=list(SCOPES.items()),
        initial=list(USUAL),
        error_messages={"required": later("Choose at least one thing that it may do.")},
    )
    expires_on = forms.DateField(
        required=False, error_messages={"invalid": later("Write a date as year-month-day, such as 2027-06-30.")}
    )
    networks = forms.CharField(required=False, max_length=1000)
    monthly_limit = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_CREDITS,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), WHOLE_NUMBER),
    )

    @classmethod
    def of(cls, key: AccessKey) -> KeyForm:
        """The form with a key's present choices."""
        return cls(
            initial={
                "name": key.name,
                "description": key.description,
                "scopes": key.scopes,
                # Its last day: the moment itself is the first of the day after.
                "expires_on": key.expires_at and (key.expires_at - timedelta(seconds=1)).date().isoformat(),
                "networks": "\n".join(key.networks),
                "monthly_limit": key.monthly_limit,
            }
        )

    def clean_expires_on(self) -> datetime | None:
        """The end of that day (UTC), which must not be over."""
        day = self.cleaned_data["expires_on"]
        if day is None:
            return None
        if day.year > 9000:
            raise forms.ValidationError(_("That is too far away. Leave it empty for a key without an end."))
        end = datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)
        if end <= timezone.now():
            raise forms.ValidationError(_("That day is over. Choose a later one, or leave it empty."))
        return end

    def clean_networks(self) -> list[str]:
        """Addresses and networks, one a line or after commas, each in its usual form."""
        found: list[str] = []
        for word in self.cleaned_data["networks"].replace(",", " ").split():
            try:
                network = str(ip_network(word, strict=False))
            except ValueError:
                raise forms.ValidationError(
                    _("“%(word)s” is no network. Write such as 203.0.113.7, 198.51.100.0/24 or 2001:db8::/32.")
                    % {"word": word[:60]}
                ) from None
            if network not in found:
                found.append(network)
        if len(found) > MOST_NETWORKS:
            raise forms.ValidationError(_("At most %(most)d networks.") % {"most": MOST_NETWORKS})
        return found

    def choices(self) -> dict[str, Any]:
        """What ``keys.make`` and ``keys.change`` take, of a valid form."""
        data = dict(self.cleaned_data)
        data["expires_at"] = data.pop("expires_on")
        return data


class RotateForm(forms.Form):
    """How long the secret before goes on working."""

    overlap = forms.ChoiceField(choices=OVERLAPS, initial="24")

    def span(self) -> timedelta:
        """The time, of a valid form."""
        return keys.OVERLAPS[self.cleaned_data["overlap"]]


class LeakedForm(forms.Form):
    """A secret that somebody found."""

    secret = forms.CharField(
        max_length=200,
        error_messages={"required": later("Paste the key that you found.")},
    )

    def clean_secret(self) -> str:
        """The secret; what cannot be one is said to be none, which tells nothing of those that are."""
        secret: str = self.cleaned_data["secret"]
        if not keys.well_formed(secret):
            raise forms.ValidationError(
                format_lazy(
                    later("That is no key of ours: one is {prefix} and {length} letters and digits. Paste all of it."),
                    prefix=keys.PREFIX,
                    length=keys.RANDOM + keys.CHECK,
                )
            )
        return secret
