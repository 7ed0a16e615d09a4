"""What is held about people and how they sign in: our own tables, and those of Django and allauth.

allauth and Django are not ours to ask, so their tables are classified here. Secrets are not exported: whoever has the
file could sign in with them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import forgetting, recording, security_log
from accounts.models import User
from privacy.datamap import Basis, Erasure, Holding, Item, Person, Recipient, Section, nobody

MAIL = Recipient(_("the mail services that carry our mail to you"))
NOBODYS_YET = _("Nobody is signed in by it yet.")
HOOK = _("What the law has us keep of your credits and payments hangs on this number, and on nothing else of you.")
SECRET = _("Whoever has it could sign in as you.")


def _sessions(person: Person) -> Q:
    """A session names nobody in a column; the note beside it does."""
    return Q(session_key__in=UserSession.objects.filter(user=person.pk).values("session_key"))


HELD = [
    Holding(
        "accounts.User",
        _("Account"),
        Section.ACCOUNT,
        why=_("To know whose jobs and credits are whose, and to let you in."),
        basis=Basis.CONTRACT,
        keeps="history",
        whose="pk",
        items=(
            Item("id", _("The number of your account"), keeps="books", erasure=Erasure.KEPT, duty=HOOK),
            Item("email", _("Your e-mail address"), receives=(MAIL,)),
            Item("password", _("A digest of your password, if you have one"), withheld=SECRET),
            Item("date_joined last_login", _("When you signed up, and last signed in")),
            Item("language", _("The language in which you get our mail")),
            Item("theme", _("In which colours you see the pages")),
            Item("is_active is_staff is_superuser", _("Whether the account is on, and whether it is an operator’s")),
        ),
    ),
    Holding(
        "sign_ups",
        _("A new account whose address nobody confirmed"),
        Section.ACCOUNT,
        why=_("To wait for the code that was mailed. The address may belong to somebody who never asked."),
        basis=Basis.CONTRACT,
        keeps="unconfirmed",
        receives=(MAIL,),
        items=(Item("rows", _("The address, and when somebody signed up with it"), withheld=NOBODYS_YET),),
    ),
    Holding(
        "account.EmailAddress",
        _("E-mail addresses"),
        Section.ACCOUNT,
        why=_("To mail you codes and the notices that you asked for, once you have confirmed the address."),
        basis=Basis.CONTRACT,
        keeps="account",
        whose="user",
        receives=(MAIL,),
        items=(
            Item("id user", _("Numbers: its own, and your account’s"), receives=()),
            Item("email", _("The address that you use, and one that you are changing to")),
            Item("verified primary", _("Whether it is confirmed, and whether it is the one in use"), receives=()),
        ),
    ),
    Holding(
        "accounts.MailChoice",
        _("What you chose about mail"),
        Section.ACCOUNT,
        why=_("To send you no mail that you do not want."),
        basis=Basis.CONTRACT,
        keeps="account",
        whose="user",
        items=(
            Item("id user", _("Numbers: its own, and your account’s")),
            Item("only_necessary", _("Whether you get only the mail that has to be")),
        ),
    ),
    Holding(
        "account.EmailConfirmation",
        _("Links that confirm an address"),
        Section.ACCOUNT,
        why=_("To see that an address is yours. We mail codes instead, so there are none as a rule."),
        basis=Basis.CONTRACT,
        keeps="confirmation",
        whose="email_address__user",
        items=(
            Item("id email_address", _("Numbers: its own, and the address’s")),
            Item("created sent", _("When it was made and sent")),
            Item("key", _("What the link holds"), withheld=SECRET),
        ),
    ),
    Holding(
        "sessions.Session",
        _("Sessions"),
        Section.SIGNING_IN,
        why=_("To keep you signed in on this device."),
        basis=Basis.CONTRACT,
        keeps="session",
        whose=_sessions,
        items=(
            Item("session_key", _("What the cookie of your browser holds"), withheld=SECRET),
            Item(
                "session_data",
                _("Whom the session is of, and how and when you last proved it; a code that was mailed"),
                withheld=SECRET,
            ),
            Item("expire_date", _("When it ends")),
        ),
    ),
    Holding(
        "sign_ins",
        _("A sign-in that was begun"),
        Section.SIGNING_IN,
        why=_("To compare the code that you type with the one that was mailed."),
        basis=Basis.CONTRACT,
        keeps="sign_in",
        items=(Item("state", _("The address that was typed, and the code"), withheld=NOBODYS_YET),),
    ),
    Holding(
        "usersessions.UserSession",
        _("Where you are signed in"),
        Section.SIGNING_IN,
        why=_("To show you where you are signed in, so that you can end a session that is not yours."),
        basis=Basis.INTEREST,
        keeps="session",
        whose="user",
        items=(
            Item("id user", _("Numbers: its own, and your account’s")),
            Item("ip user_agent", _("The network address and the browser that signed in")),
            Item("created_at last_seen_at", _("When it began, and was last looked at")),
            Item("session_key", _("What the cookie of your browser holds"), withheld=SECRET),
            Item("data", _("Nothing: a field that we do not use")),
        ),
    ),
    Holding(
        "mfa.Authenticator",
        _("Passkeys, authenticator app, recovery codes"),
        Section.SIGNING_IN,
        why=_("To let you in by something better than a password."),
        basis=Basis.CONTRACT,
        keeps="account",
        whose="user",
        items=(
            Item("id user", _("Numbers: its own, and your account’s")),
            Item("type created_at last_used_at", _("What it is, when you added it, when you last used it")),
            Item(
                "data",
                _("A passkey’s name and public half; an app’s seed; recovery codes. Seeds and codes lie encrypted"),
                withheld=SECRET,
            ),
        ),
    ),
    Holding(
        "accounts.AccessKey",
        _("Access keys"),
        Section.SIGNING_IN,
        why=_("To let your programs in, for what you allow each of them."),
        basis=Basis.CONTRACT,
        keeps="account",
        whose="owner",
        items=(
            Item("id owner", _("Numbers: its own, and your account’s")),
            Item("name description", _("What you called it")),
            Item(
                "digest old_digest ends_with",
                _("SHA-256 of its secret and of the one before, by which nobody can sign in; how the secret ends"),
            ),
            Item(
                "scopes networks monthly_limit expires_at enabled old_until",
                _("What it may do, from where, for how many credits, and until when"),
            ),
            Item("created_at last_used_at calls", _("When you made it, when it was used last, and how often")),
        ),
    ),
    Holding(
        "accounts.SecurityEvent",
        _("Changes of access keys and webhooks"),
        Section.SIGNING_IN,
        why=_("To show you what was changed, so that you notice what you did not do; each is mailed to you once."),
        basis=Basis.INTEREST,
        keeps="security_log",
        whose="owner",
        items=(
            Item("id owner access_key", _("Numbers: its own, your account’s, the key’s or webhook’s")),
            Item("code at", _("What was done, and when"), receives=(MAIL,)),
            Item("subject", _("What the key or webhook was called"), receives=(MAIL,)),
            Item("mailed_at", _("When it was mailed")),
        ),
    ),
    Holding(
        "accounts.ApiCall",
        _("Calls of your programs"),
        Section.SIGNING_IN,
        why=_("To show you what each key did, so that you find faults, and notice a key that others use."),
        basis=Basis.CONTRACT,
        keeps="request_log",
        whose="owner",
        items=(
            Item("id owner access_key job", _("Numbers: its own, your account’s, the key’s, the job’s")),
            Item("at endpoint", _("When it was, and which endpoint was called: nothing that was sent to it")),
            Item("status ms bytes_in bytes_out", _("How it was answered, how long that took, and how many bytes")),
        ),
    ),
    Holding(
        "accounts.ApiCallSum",
        _("Sums of your programs’ calls"),
        Section.SIGNING_IN,
        why=_("To show you how use changes over the months, once the calls themselves are forgotten."),
        basis=Basis.CONTRACT,
        keeps="history",
        whose="owner",
        items=(
            Item("id owner access_key", _("Numbers: its own, your account’s, the key’s")),
            Item("day endpoint status_class within_ms", _("One day’s calls of an endpoint, alike in answer and time")),
            Item("calls bytes_in bytes_out", _("How many they were, and how many bytes")),
        ),
    ),
    Holding(
        "rate_limits",
        _("Counters against too many tries"),
        Section.SIGNING_IN,
        why=_("To keep others from guessing codes and passwords, and from filling a mailbox."),
        basis=Basis.INTEREST,
        keeps="rate_limit",
        items=(
            Item(
                "counters",
                _("Times of tries by network address, account, or digest of an address, in memory"),
                withheld=_("They are gone before you could look."),
            ),
        ),
    ),
    Holding(
        "accounts.User_groups",
        _("Groups of an operator"),
        Section.OPERATORS,
        why=_("To say what an operator may do."),
        basis=Basis.CONTRACT,
        keeps="account",
        whose="user",
        items=(Item("id user group", _("Numbers: its own, the account’s, the group’s")),),
    ),
    Holding(
        "accounts.User_user_permissions",
        _("Permissions of an operator"),
        Section.OPERATORS,
        why=_("To say what an operator may do."),
        basis=Basis.CONTRACT,
        keeps="account",
        whose="user",
        items=(Item("id user permission", _("Numbers: its own, the account’s, the permission’s")),),
    ),
    Holding(
        "admin.LogEntry",
        _("What operators did"),
        Section.OPERATORS,
        why=_("To be able to say who changed something by hand."),
        basis=Basis.INTEREST,
        keeps="operator_log",
        whose="user",
        items=(
            Item("id user", _("Numbers: its own, and the operator’s account’s")),
            Item("action_time action_flag content_type", _("When it was done, what, and to which kind of row")),
            Item(
                "object_id object_repr change_message",
                _("Which row it was, and what became of it"),
                withheld=_("It is about other people."),
            ),
        ),
    ),
    nobody("auth.Group", _("Groups that operators can be in"), "id name", _("To name sets of permissions.")),
    nobody("auth.Group_permissions", _("What a group may do"), "id group permission", _("To say what a group may do.")),
    nobody(
        "auth.Permission",
        _("Permissions there are"),
        "id name content_type codename",
        _("The program’s own list of what can be permitted."),
    ),
    nobody(
        "contenttypes.ContentType",
        _("Kinds of rows"),
        "id app_label model",
        _("The program’s own list of its tables."),
    ),
]

OLDER: dict[str, Callable[[datetime], QuerySet[Any]]] = {
    "session": forgetting.sessions,
    "sign_in": forgetting.begun_sign_ins,
    "unconfirmed": forgetting.unconfirmed,
    "confirmation": forgetting.confirmations,
    "operator_log": forgetting.operator_log,
    "security_log": security_log.before,
    "request_log": recording.before,
}


def known_under(address: str) -> list[User]:
    """Accounts that have the address: in use, or changing to it."""
    named = Q(email__iexact=address) | Q(pk__in=EmailAddress.objects.filter(email__iexact=address).values("user"))
    return list(User.objects.filter(named).order_by("pk"))
