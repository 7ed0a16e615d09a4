"""Which pages are photographed, as whom, and in which state; and which addresses are no pages.

Together they name every address of the site: ``unplaced`` finds one that is in neither list, so that a new page does
not go unseen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

NOBODY, NEW, FULL, LEAVING, OPERATOR = "nobody", "new", "full", "leaving", "operator"
"""Who looks: somebody who is not signed in, or an account of ``people.py``."""


@dataclass(frozen=True)
class Page:
    """One page in one state. ``path`` may hold ``{names}`` of what ``people.fill`` made."""

    group: str
    who: str
    path: str
    does: str = ""
    """What is done there first: a function of ``doing.py``."""
    status: int = 200
    lands: str = ""
    """Where it leads, if elsewhere."""
    posted: bool = False
    """Asked by POST, without the token that a form of ours would send."""

    @property
    def label(self) -> str:
        """How pictures of it are named for people."""
        return " ".join(filter(None, (self.path, f"({self.who})", self.does.replace("_", " "))))


def _pages(group: str, who: str, *paths: str) -> list[Page]:
    return [Page(group, who, path) for path in paths]


PAGES: Final = [
    *_pages("first", NOBODY, "/", "/pricing", "/providers", "/api", "/language", "/theme", "/offline"),
    *_pages("guides", NOBODY, "/guides", "/guides/start", "/guides/photos", "/guides/printing", "/guides/api"),
    *_pages("guides", NOBODY, "/guides/adr/0001-photos-are-stripped-before-there-is-a-job"),
    *_pages("guides", NOBODY, "/guides/search?q=print", "/guides/search?q=xylophone"),
    *_pages("trust", NOBODY, "/trust", "/privacy/data", "/verify"),
    Page("trust", NOBODY, "/verify", does="a_receipt_that_holds"),
    Page("trust", NOBODY, "/verify", does="a_receipt_that_does_not"),
    *_pages("trust", NOBODY, "/faq", "/about", "/contact", "/contact/sent", "/keys/leaked"),
    *_pages("documents", NOBODY, "/privacy", "/terms", "/security", "/sub-processors"),
    *_pages("documents", NOBODY, "/terms/versions", "/terms/versions/1", "/terms/difference"),
    *_pages(
        "sign in", NOBODY, "/account/login/", "/account/login/code/", "/account/signup/", "/account/password/reset/"
    ),
    Page("sign in", NOBODY, "/account/login/code/", does="a_code_is_mailed", lands="/account/login/code/confirm/"),
    Page("sign in", NOBODY, "/account/signup/", does="an_account_is_made", lands="/account/confirm-email/"),
    Page(
        "sign in", NOBODY, "/account/password/reset/", does="a_code_is_mailed", lands="/account/password/reset/confirm/"
    ),
    Page("sign in", NOBODY, "/account/login/", does="a_password_is_given", lands="/account/2fa/authenticate/"),
    *_pages("sign in", NOBODY, "/account/inactive/", "/account/password/reset/done/", "/in/{link}"),
    Page("sign in", NOBODY, "/in/used-up", status=410),
    *_pages("make", NEW, "/create", "/history"),
    *_pages("make", FULL, "/create", "/history", "/history?state=failed", "/history/kept"),
    *_pages("jobs", FULL, "/jobs/{running}", "/jobs/{waiting}", "/jobs/{failed}", "/jobs/{cancelled}"),
    *_pages("jobs", FULL, "/jobs/{expired}", "/jobs/{done}"),
    Page("jobs", FULL, "/jobs/{ready}", does="the_receipt_arrives"),
    *_pages("credits", NEW, "/pricing", "/billing"),
    *_pages("credits", FULL, "/billing", "/billing?only=bought", "/billing/orders/{open}"),
    *_pages(
        "credits", FULL, "/billing/orders/{open}?from=stripe", "/billing/orders/{pending}", "/billing/orders/{paid}"
    ),
    *_pages("credits", FULL, "/billing/orders/{failed_order}", "/billing/orders/{expired_order}"),
    *_pages("account", NEW, "/account/"),
    *_pages("account", FULL, "/account/", "/account/photos", "/account/mail", "/account/data", "/account/erase"),
    *_pages("account", LEAVING, "/account/", "/account/erase", "/erasure/{erasure}"),
    *_pages("way in", NEW, "/account/2fa/", "/account/2fa/totp/activate/", "/account/2fa/webauthn/add/"),
    *_pages("way in", NEW, "/account/email/", "/account/password/set/", "/account/sessions/", "/account/logout/"),
    *_pages("way in", NEW, "/account/second-step"),
    *_pages("second factors", FULL, "/account/2fa/", "/account/2fa/totp/deactivate/", "/account/2fa/recovery-codes/"),
    *_pages("second factors", FULL, "/account/2fa/recovery-codes/generate/", "/account/2fa/webauthn/"),
    *_pages(
        "second factors",
        FULL,
        "/account/2fa/webauthn/keys/{passkey}/edit/",
        "/account/2fa/webauthn/keys/{passkey}/remove/",
    ),
    *_pages(
        "second factors", FULL, "/account/password/change/", "/account/reauthenticate/", "/account/2fa/reauthenticate/"
    ),
    *_pages("second factors", FULL, "/account/2fa/webauthn/reauthenticate/"),
    *_pages("keys", NEW, "/account/keys", "/account/usage", "/account/usage/calls"),
    *_pages("keys", FULL, "/account/keys", "/account/keys/new", "/account/keys/{key}", "/account/keys/{key}/delete"),
    Page("keys", FULL, "/account/keys/{key}", does="the_secret_is_shown", lands="/account/keys/{key}/rotate"),
    *_pages("keys", FULL, "/account/usage", "/account/usage/calls"),
    *_pages("webhooks", NEW, "/account/webhooks"),
    *_pages("webhooks", FULL, "/account/webhooks", "/account/webhooks/new", "/account/webhooks/{webhook}"),
    *_pages("webhooks", FULL, "/account/webhooks/{webhook}/delete"),
    *_pages("requests", NOBODY, "/privacy/requests", "/privacy/requests/sent", "/privacy/requests/{unconfirmed}"),
    *_pages("requests", FULL, "/privacy/requests?right=access", "/privacy/requests/{asked}"),
    *_pages("requests", FULL, "/privacy/requests/{answered}", "/privacy/requests/{refused}"),
    Page("requests", NOBODY, "/privacy/requests/nothing", status=404),
    Page("errors", NOBODY, "/nowhere", status=404),
    Page("errors", NEW, "/jobs/{done}", status=404),
    Page("errors", NOBODY, "/erasure/nothing", status=404),
    Page("errors", NOBODY, "/contact", status=403, posted=True),
    Page("errors", NEW, "/operators/", lands="/operators/login/", status=403),
    *_pages("operators", OPERATOR, "/operators/", "/operators/billing/transaction/", "/operators/billing/order/"),
    *_pages("operators", OPERATOR, "/operators/billing/adjustment/adjust/", "/operators/privacy/subjectrequest/"),
    *_pages("operators", OPERATOR, "/operators/sessions/"),
    *_pages("operators", OPERATOR, "/operators/privacy/subjectrequest/{request}/change/"),
    *_pages("operators", OPERATOR, "/operators/privacy/subjectrequest/numbers/"),
    *_pages("mailbox", NOBODY, "/mailbox", "/mailbox/{letter}"),
]

NO_PAGES: Final[dict[str, tuple[str, ...]]] = {
    "they answer a button": (
        "generation:webhook_rotate", "generation:webhook_test", "generation:webhook_again",
        "generation:webhook_replay", "generation:webhook_disable", "generation:webhook_enable",
        "generation:acknowledge", "generation:cancel", "billing:spending", "billing:buy", "billing:resume",
        "billing:portal", "privacy:request_confirm", "privacy:request_withdraw", "privacy:erase_ask",
        "privacy:erase_undo", "accounts:key_disable", "accounts:key_enable", "sandbox:mailbox_empty",
        "trust:put_away", "shared",
    ),
    "they give a file or data": (
        "generation:usage_file", "generation:calls_csv", "generation:events", "generation:state", "generation:asset",
        "generation:receipt", "generation:weights", "manifest", "worker", "robots", "sitemap",
        "billing:ledger_csv", "billing:document", "privacy:keys", "privacy:security_txt",
        "privacy:gpc", "privacy:copy", "privacy:certificate", "privacy:verifier", "privacy:log", "privacy:log_head",
        "privacy:log_heads", "privacy:log_proof", "privacy:log_consistency", "mfa_download_recovery_codes",
        "mfa_login_webauthn", "openapi",
    ),
    "they are called by other machines": ("generation:hook", "billing:webhook"),
    "they lead on": ("privacy:confirm", "privacy:erase_confirm", "icon"),
    "they show only what a step before them leaves": ("account_complete_password_reset",),
}  # fmt: skip
DRAWN_BY_OTHERS: Final = ("v1:", "admin:", ":")
"""Beginnings of names: the API's addresses, which are no pages; Django's pages for operators, of which a few are
photographed; and addresses without a name, which answer whatever is not there."""


class Anything(dict[str, str]):
    """Stands for whatever a path names, where only its shape matters."""

    def __missing__(self, name: str) -> str:
        return "1" if name == "passkey" else str(UUID(int=1))


def named() -> Iterator[str]:
    """The name of every address of the site, with its namespaces. Needs Django's settings."""
    from django.urls import URLPattern, URLResolver, get_resolver

    def below(resolver: URLResolver, space: str) -> Iterator[str]:
        for one in resolver.url_patterns:
            if isinstance(one, URLPattern):
                yield space + (one.name or ("" if space else ":"))
            else:
                yield from below(one, space + (f"{one.namespace}:" if one.namespace else ""))

    return below(get_resolver(), "")


def placed() -> set[str]:
    """The names of the addresses that are photographed. Raises ``Resolver404`` for a page that does not exist."""
    from django.urls import Resolver404, resolve

    found = set()
    for page in PAGES:
        for path in filter(None, (page.path, page.lands)):
            try:
                found.add(resolve(path.format_map(Anything()).partition("?")[0]).view_name)
            except Resolver404:
                if page.status != 404:
                    raise
    return found


def unplaced() -> list[str]:
    """Names of addresses that are neither photographed nor said to be no page."""
    known = placed().union(*NO_PAGES.values())
    return sorted({name for name in named() if name not in known and not name.startswith(DRAWN_BY_OTHERS)})
