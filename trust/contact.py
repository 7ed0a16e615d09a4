"""Write to whoever runs the site: the words are mailed to them and stored nowhere, and lost nowhere either.

If the mail server does not take it, or somebody has written too often, the form comes back with every word.
"""

from __future__ import annotations

import logging
from smtplib import SMTPException

from allauth.core import ratelimit
from django import forms
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from privacy import well_known
from trust import operator

logger = logging.getLogger(__name__)

TOPICS = [
    ("question", later("A question")),
    ("job", later("A photo, a model or a job")),
    ("credits", later("Credits or a payment")),
    ("data", later("My data")),
    ("security", later("A security hole")),
    ("other", later("Something else")),
]
LONGEST = 5000


class ContactForm(forms.Form):
    """What somebody wants to tell."""

    topic = forms.ChoiceField(
        label=later("What it is about"),
        choices=TOPICS,
        error_messages={"required": later("Choose a topic."), "invalid_choice": later("Choose one of these topics.")},
    )
    email = forms.EmailField(
        label=later("Your e-mail address"),
        help_text=later("Only to answer you."),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={
            "required": later("Without an address nobody can answer."),
            "invalid": later("This is not an e-mail address. It looks like name@example.org."),
        },
    )
    words = forms.CharField(
        label=later("Your words"),
        help_text=later("No photos here. If it is about a job, the address of its page is enough."),
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 8, "maxlength": None}),
        error_messages={"required": later("Say what it is about."), "max_length": later("At most 5000 characters.")},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def contact(request: HttpRequest) -> HttpResponse:
    """The form, and what becomes of it."""
    open_ = bool(settings.CONTACT_EMAIL)
    problem, status = "", 200
    if request.method == "POST" and open_:
        form = ContactForm(request.POST)
        if not form.is_valid():
            status = 422
        elif not ratelimit.consume(request, action="contact", key="everybody"):
            problem, status = _("Too many messages within an hour. Keep your words and send them later."), 429
        elif not send(form):
            problem = _("The mail server did not take it. Your words are still here: try again in some minutes.")
            status = 503
        else:
            return redirect("trust:contact_sent")
    else:
        form = ContactForm(initial={"email": request.user.email} if isinstance(request.user, User) else {})
    expires = well_known.expiry()
    context = {
        "form": form,
        "open": open_,
        "problem": problem,
        "operator": operator.known(),
        "security_txt": bool(settings.SECURITY_CONTACT and expires),
    }
    return render(request, "trust/contact.html", context, status=status)


def send(form: ContactForm) -> bool:
    """Mail a valid form; whether the server took it. The subject holds nothing that a visitor typed."""
    data = form.cleaned_data
    topic = str(dict(TOPICS)[data["topic"]])
    mail = EmailMessage(
        f"ModelMyImage: {topic}", data["words"], None, [settings.CONTACT_EMAIL], reply_to=[data["email"]]
    )
    try:
        mail.send()
    except (SMTPException, OSError) as error:
        logger.warning("a message to the operator was not taken", extra={"error": type(error).__name__})
        return False
    return True


@require_safe
def sent(request: HttpRequest) -> HttpResponse:
    """It is on its way."""
    return render(request, "trust/contact_sent.html")
