"""What an access key may do: its scopes, each by a code that programs use and the words that people read."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SCOPES: dict[str, Promise] = {
    "generate": _("Send photos, fetch the models, cancel and destroy. This spends credits."),
    "read": _("See jobs, their state and receipts, and the providers."),
    "billing:read": _("See the balance and each line of the ledger."),
    "usage:read": _("See which keys there are, and how much each and the account use."),
    "webhooks": _("Say which of your programs are told of jobs, test that, and see what was delivered."),
    "privacy": _("Get a copy of everything that is held about you."),
}

USUAL = ("generate", "read")
"""What a new key has unless its owner says otherwise."""
