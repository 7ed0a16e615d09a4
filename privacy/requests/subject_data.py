"""What is held about requests. The app's map takes it in (``privacy/subject_data.py``)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from privacy.datamap import Basis, Erasure, Holding, Item, Recipient, Section
from privacy.requests import forgetting

MAIL = Recipient(_("the mail services that carry our mail to you"))
DUTY = _("The laws that give these rights: we have to be able to show how each request was dealt with.")
WHY = _("To answer what you ask about your data in time, and to be able to show that we did.")

HELD = [
    Holding(
        "privacy.SubjectRequest",
        _("Your requests"),
        Section.RIGHTS,
        why=WHY,
        basis=Basis.LEGAL,
        keeps="request",
        whose=forgetting.whose,
        erasure=Erasure.LOOSE,
        duty=DUTY,
        items=(
            Item("id form_key", _("Random numbers: its own, and the form’s")),
            Item("reference", _("A name to speak of it by"), receives=(MAIL,)),
            Item("person", _("The number of your account"), erasure=Erasure.ERASED),
            Item(
                "address",
                _("The address that you asked from, if you were not signed in"),
                keeps="request_text",
                receives=(MAIL,),
                erasure=Erasure.ERASED,
            ),
            Item("text", _("What you wrote"), keeps="request_text", erasure=Erasure.ERASED),
            Item("by_mail at_once", _("Whether you were signed in, and whether you had it at once")),
            Item("right law", _("What you asked, under which law"), receives=(MAIL,)),
            Item("state reason", _("How far it is, and why it was refused, if it was")),
            Item(
                "received_at confirmed_at due_on extended_at closed_at",
                _("When it came and was confirmed, until when it had to be answered, when it was over"),
            ),
            Item("language", _("The language in which you asked, for our letters")),
            Item("reminded_on", _("When an operator was reminded of it last")),
        ),
    ),
    Holding(
        "privacy.RequestStep",
        _("The course of a request"),
        Section.RIGHTS,
        why=WHY,
        basis=Basis.LEGAL,
        keeps="request",
        whose=forgetting.whose_steps,
        erasure=Erasure.LOOSE,
        duty=DUTY,
        items=(
            Item("id request", _("Numbers: its own, and the request’s")),
            Item("at what by", _("When what happened, by you, the program or an operator")),
            Item(
                "words",
                _("What we answered you"),
                keeps="request_text",
                receives=(MAIL,),
                erasure=Erasure.ERASED,
            ),
            Item("mail_due_at mail_tries mailed_at", _("Whether the letter about it has gone out")),
        ),
    ),
    Holding(
        "unconfirmed_requests",
        _("A request from an address that nobody confirmed"),
        Section.RIGHTS,
        why=_("To wait for the link that was mailed. The address may belong to somebody who never asked."),
        basis=Basis.INTEREST,
        keeps="unconfirmed_request",
        receives=(MAIL,),
        items=(
            Item(
                "rows",
                _("The address, what was asked and written, and when"),
                withheld=_("Nobody knows yet whose it is."),
            ),
        ),
    ),
]

OLDER: dict[str, Callable[[datetime], QuerySet[Any]]] = {
    "unconfirmed_request": forgetting.unconfirmed,
    "request_text": forgetting.worded,
    "request": forgetting.closed,
}
