"""The accounts that pages are looked at with, and everything that there is to see of them.

Written with the application's own functions where a rule stands behind a row, and as plain rows where a state cannot be
waited for: a job that stays half done, an order that the bank never answers. Needs Django, and the site's own state.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Any
from uuid import UUID, uuid4

import httpx
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from accounts import keys, signin_links
from accounts.models import AccessKey, ApiCall, User
from billing import ledger
from billing.models import Customer, Order, Payment, Subscription
from generation.models import Attempt, Event, Job, ProcessingLimits
from generation.notifications import outbox, subscribing
from generation.notifications.models import Delivery
from privacy import erasure, receipts, vault
from privacy.requests import handling
from privacy.requests.models import SubjectRequest
from scripts.screenshots.pages import FULL, LEAVING, NEW, OPERATOR
from trust.models import Document, Version

PHOTO = Path(__file__).resolve().parents[2] / "static" / "samples" / "mug.jpg"
PASSWORD = secrets.token_urlsafe(16)
SCREENS = ("wide", "phone")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


@dataclass
class Cast:
    """Who there is (account by name: cookie of its session), and what pages' paths name."""

    sessions: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    receipt: bytes = b""
    """Of the finished job, as a file."""


def fill(url: str) -> Cast:
    """Make everybody and everything on the site at ``url``; jobs that are really worked on come first."""
    cast = Cast()
    people = {who: _account(f"{who}@example.org") for who in (NEW, FULL, LEAVING, OPERATOR)}
    User.objects.filter(pk=people[OPERATOR].pk).update(is_staff=True, is_superuser=True)
    full = people[FULL]
    full.set_password(PASSWORD)
    full.save()
    ledger.grant(user=full, credits=100, key="gift", reason="signup")
    for who, person in people.items():
        cast.sessions[who] = _session(User.objects.get(pk=person.pk))
    sent = [_send(url, cast.sessions[FULL]) for _ in ("done", *SCREENS)]
    _documents(url)
    _orders(full, cast.names)
    _ways_in(full, cast.names)
    _programs(full, cast.names)
    _requests(full, cast.names)
    ProcessingLimits.objects.create(owner=full, restrictions={"never": ["meshy"]})
    leaves = erasure.request(people[LEAVING])
    cast.names["erasure"] = leaves.token
    cast.names["link"] = signin_links.make(people[NEW])
    cast.names |= dict(zip(("done", *(f"ready-{screen}" for screen in SCREENS)), map(str, sent), strict=True))
    return cast


def _account(email: str) -> User:
    from allauth.account.models import EmailAddress

    user = User.objects.create_user(email)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user


def _session(user: User) -> str:
    """The cookie of somebody who signed in just now."""
    store = SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
    store["_auth_user_hash"] = user.get_session_auth_hash()
    just_now = {"method": "code", "email": user.email, "at": time(), "reauthenticated": True}
    store["account_authentication_methods"] = [just_now]
    store["account_authentication_methods_user"] = str(user.pk)
    store.create()
    assert store.session_key
    UserSession.objects.create(user=user, ip="192.0.2.7", session_key=store.session_key, user_agent=BROWSER)
    return store.session_key


def _send(url: str, session: str) -> UUID:
    """A draft of the sample photo, sent as a program without scripts would."""
    with httpx.Client(base_url=url, cookies={"sessionid": session}, timeout=60) as http:
        http.get("/create").raise_for_status()
        form = {"quality": "draft", "keep": "60", "request_key": str(uuid4())}
        headers = {"Accept": "application/json", "X-CSRFToken": http.cookies["csrftoken"], "Referer": url}
        photo = {"photo": ("photo.jpg", PHOTO.read_bytes(), "image/jpeg")}
        answer = http.post("/create", data=form, files=photo, headers=headers)
        answer.raise_for_status()
        return UUID(answer.json()["job"].rpartition("/")[2])


def finish(cast: Cast, url: str) -> None:
    """Wait for the jobs that were sent, take the first one's model, and write the others' rows beside them.

    Raises ``TimeoutError`` when the engine does not get there.
    """
    from time import sleep

    from privacy import proofs
    from privacy.models import Receipt

    sent = {name: cast.names[name] for name in ("done", *(f"ready-{screen}" for screen in SCREENS))}
    deadline = time() + 240
    with httpx.Client(base_url=url, cookies={"sessionid": cast.sessions[FULL]}, timeout=60) as http:
        http.get("/create")
        headers = {"X-CSRFToken": http.cookies["csrftoken"], "Referer": url}
        while Job.objects.filter(pk__in=sent.values(), ready_at=None).exists():
            if time() > deadline:
                raise TimeoutError("The engine did not make three drafts in four minutes.")
            sleep(0.2)
        http.post(f"/jobs/{sent['done']}/acknowledge", headers=headers)
        while not Receipt.objects.filter(group=sent["done"]).exists():
            if time() > deadline:
                raise TimeoutError("A job that was taken got no receipt.")
            sleep(0.2)
    cast.receipt = receipts.encode(proofs.file_of(Receipt.objects.get(group=sent["done"])))
    full = User.objects.get(email=f"{FULL}@example.org")
    for name, values in _UNFINISHED.items():
        cast.names[name] = str(_job(full, **values))


_UNFINISHED: dict[str, dict[str, Any]] = {
    "running": {"stage": Job.Stage.WATCH, "percent": 42, "queue": "calls"},
    "waiting": {"stage": Job.Stage.DISPATCH, "waiting": "provider_busy", "queue": "calls"},
    "failed": {"stage": Job.Stage.OVER, "outcome": Job.Outcome.FAILED, "failure": "no_subject"},
    "cancelled": {"stage": Job.Stage.OVER, "outcome": Job.Outcome.CANCELLED},
    "expired": {"stage": Job.Stage.OVER, "outcome": Job.Outcome.EXPIRED, "charged": True},
}


def _job(owner: User, *, stage: str, outcome: str = "", **values: Any) -> UUID:
    """A job's row in a state that stays: nobody looks at it before tomorrow."""
    now = timezone.now()
    job = Job.objects.create(
        owner=owner, stage=stage, outcome=outcome, provider="embedded", credits=2,
        created_at=now - timedelta(minutes=2), due_at=now + timedelta(days=1), deadline_at=now + timedelta(days=1),
        **values,
    )  # fmt: skip
    ledger.hold(user=owner, credits=2, job=job.pk)
    blob = vault.seal([b"photo"], kind="source", group=job.pk, limit=100)
    Job.objects.filter(pk=job.pk).update(sources={"front": str(blob.pk)})
    for number, code in enumerate(("received", Job.Stage.DISPATCH)):
        Event.objects.create(job=job, at=now - timedelta(seconds=110 - 4 * number), code=code)
    if not values.get("waiting") and values.get("failure") != "no_subject":
        ended = {"state": "finished", "ended_at": now} if outcome else {"state": "running"}
        Attempt.objects.create(job=job, number=1, provider="embedded", started_at=now, **ended)
    if not outcome:
        return job.pk
    (ledger.capture if values.get("charged") else ledger.release)(job=job.pk)
    vault.destroy(blob.pk)
    receipt = receipts.issue(group=job.pk, elsewhere=[], outcome=outcome)
    Job.objects.filter(pk=job.pk).update(receipt_id=receipt.pk, finished_at=now, sources={})
    return job.pk


def _documents(url: str) -> None:
    """The documents, as the site publishes them, and a second version of one, so that there is a difference to show."""
    for document in Document.values:
        httpx.get(f"{url}/{document}", timeout=60).raise_for_status()
    first = Version.objects.get(document="terms", number=1)
    words = first.text.split("\n\n")
    words[3:4] = [words[3] + " This sentence is new.", "So is this paragraph."]
    Version.objects.create(
        document="terms", number=2, text="\n\n".join(words), mark=first.mark, substance=False,
        summary="Clearer words.", published_at=timezone.now(), effective_at=timezone.now(),
    )  # fmt: skip


def _orders(user: User, names: dict[str, str]) -> None:
    """An order in each state, a payment with its credits, and a subscription."""
    Customer.objects.create(user=user, stripe_id="cus_shown")
    for state in Order.State:
        order = Order.objects.create(
            user=user, item="pack-100", credits=100, amount=2000, currency="eur", state=state, session_id=f"cs_{state}"
        )
        names[f"{state}_order" if state in {"failed", "expired"} else str(state)] = str(order.pk)
    granted = ledger.grant(user=user, credits=100, key="cs_paid", reason="purchase")
    ledger.reverse(key="back", original=granted.key, credits=5, reason="refund")
    Payment.objects.create(
        user=user, stripe_id="cs_paid", payment_intent="pi_paid", credits=100, amount=2000, currency="eur",
        refunded=100, reversed=5, grant=granted, paid_at=timezone.now(),
    )  # fmt: skip
    Subscription.objects.create(
        user=user, stripe_id="sub_shown", plan="plan-200", credits=200, amount=3200, currency="eur", status="past_due",
        period_ends_at=timezone.now() + timedelta(days=9),
    )  # fmt: skip


def _ways_in(user: User, names: dict[str, str]) -> None:
    """An authenticator app, recovery codes, and a passkey that nobody holds."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    TOTP.activate(user, generate_totp_secret())
    RecoveryCodes.activate(user)
    passkey = {"name": "Phone", "passwordless": True, "credential": _credential()}
    names["passkey"] = str(Authenticator.objects.create(user=user, type="webauthn", data=passkey).pk)


def _credential() -> dict[str, Any]:
    """What a browser answers when a passkey is made; its secret key is thrown away."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from fido2.cose import ES256
    from fido2.utils import websafe_encode
    from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

    number = secrets.token_bytes(16)
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    key = ES256.from_cryptography_key(public)  # type: ignore[no-untyped-call]  # fido2 types some of its methods
    attested = AttestedCredentialData.create(Aaguid(bytes(16)), number, key)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    data = AuthenticatorData.create(bytes(32), flags, 0, attested)
    client = {"type": "webauthn.create", "challenge": "AAAA", "origin": "http://localhost"}
    return {
        "id": websafe_encode(number),
        "rawId": websafe_encode(number),
        "type": "public-key",
        "response": {
            "clientDataJSON": websafe_encode(json.dumps(client).encode()),
            "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
        },
        "clientExtensionResults": {"credProps": {"rk": True}},
    }


def _programs(user: User, names: dict[str, str]) -> None:
    """Keys, calls that were made with one, and a webhook with deliveries in each state."""
    shop, _ = keys.make(owner=user, name="shop", scopes=["generate", "read"], networks=["192.0.2.0/24"])
    off, _ = keys.make(owner=user, name="old laptop", scopes=["read"], monthly_limit=50)
    AccessKey.objects.filter(pk=off.pk).update(enabled=False)
    names["key"] = str(shop.pk)
    now = timezone.now()
    ApiCall.objects.bulk_create(
        ApiCall(
            owner=user, access_key=shop.pk, at=now - timedelta(minutes=37 * number), endpoint="GET /jobs/{job_id}",
            status=status, ms=20 + 31 * (number % 9), bytes_in=0, bytes_out=2400, job=uuid4(),
        )
        for number, status in enumerate([200, 200, 200, 404, 201, 500] * 12)
    )  # fmt: skip
    webhook, _ = subscribing.make(
        owner=user, url="https://shop.example/hooks", description="shop", kinds=["job.ready", "job.destroyed"]
    )
    names["webhook"] = str(webhook.pk)
    for state in Delivery.State:
        delivery = outbox.test(webhook)
        Delivery.objects.filter(pk=delivery.pk).update(
            state=state, attempts=2, tried_at=now, due_at=now + timedelta(hours=2),
            failure="" if state == "delivered" else "timeout", status=200 if state == "delivered" else None,
            milliseconds=120, delivered_at=now if state == "delivered" else None,
        )  # fmt: skip


def _requests(user: User, names: dict[str, str]) -> None:
    """Requests about one's data: open, answered, refused; and one of nobody's, whose address is not confirmed."""
    operator = User.objects.get(email=f"{OPERATOR}@example.org")
    made = {}
    for name in ("asked", "answered", "refused"):
        made[name] = handling.ask(
            person=user, right="correction", law="gdpr", text="My name has two ens.", form_key=uuid4()
        )
        names[name] = made[name].token
    handling.answer(made["answered"], words="It has two ens now.", by=operator)
    handling.refuse(made["refused"], reason="unfounded", words="You asked this yesterday, too.", by=operator)
    handling.leave(
        address="visitor@example.org", right="access", law="gdpr", text="What do you hold?", form_key=uuid4()
    )
    names["unconfirmed"] = SubjectRequest.objects.get(address="visitor@example.org").token
    names["request"] = str(made["asked"].pk)
