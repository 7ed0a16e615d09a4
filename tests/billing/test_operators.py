"""The operators' pages: for operators alone, and nothing there can be changed but by a signed adjustment."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import User
from billing import ledger
from billing.models import Adjustment, LedgerAccount, Order, StripeEvent, Subscription, Transaction
from modelmyimage import operators
from tests.accounts.test_account_pages import INLINE
from tests.billing.conftest import browser_of
from tests.billing.happenings import every_kind, order

pytestmark = pytest.mark.django_db

WHY = "The model of last week was empty"
MODELS = ["ledgeraccount", "transaction", "order", "payment", "subscription", "stripeevent", "adjustment"]


@pytest.fixture
def operator(db: None) -> User:
    return User.objects.create_user("operator@example.com", is_staff=True)


@pytest.fixture
def desk(operator: User) -> Client:
    """An operator's browser."""
    return browser_of(operator)


@pytest.fixture
def rows(owner: User) -> None:
    """Something in every table."""
    every_kind(owner)
    order(owner)
    Subscription.objects.create(
        user=owner, stripe_id="sub_1", plan="plan-200", credits=200, amount=3200, currency="eur", status="active"
    )
    StripeEvent.objects.create(id="evt_1", type="invoice.paid", kind="invoice", object_id="in_1")


def ours() -> list[type[Model]]:
    """The tables of billing that operators see."""
    return [model for model in operators.site._registry if model._meta.app_label == "billing"]


def addresses() -> list[str]:
    """Every page there is, with an id that exists."""
    found = ["/operators/", "/operators/billing/", reverse("admin:billing_adjust")]
    for model in ours():
        name = model._meta.model_name
        pk = model._default_manager.values_list("pk", flat=True)[0]
        found.append(reverse(f"admin:billing_{name}_changelist"))
        found += [reverse(f"admin:billing_{name}_{what}", args=[pk]) for what in ("change", "delete", "history")]
        found.append(reverse(f"admin:billing_{name}_add"))
    return found


def test_for_operators_alone(client: Client, browser: Client, desk: Client, rows: None) -> None:
    for address in addresses():
        away = client.get(address, follow=True)
        assert away.redirect_chain, address
        assert away.redirect_chain[-1][0].startswith(reverse("account_login")), address
        assert "%2Foperators%2F" in away.redirect_chain[-1][0], address
        assert browser.get(address, follow=True).status_code == 403, address
        wanted = 403 if address.endswith(("/add/", "/delete/")) else 200
        answer = desk.get(address)
        assert answer.status_code == wanted, address
        if wanted == 200:
            assert INLINE.findall(re.sub(r"<script[^>]*></script>", "", answer.content.decode())) == [], address
            assert "unsafe-inline" not in answer["Content-Security-Policy"]


def test_nothing_is_changed(desk: Client, operator: User, rows: None) -> None:
    ledger.balance(operator)  # their own welcome comes with the first page

    def everything() -> list[object]:
        return [list(model._default_manager.order_by("pk").values()) for model in ours()]

    before = everything()
    for address in addresses():
        if address == reverse("admin:billing_adjust"):
            continue
        for fields in ({}, {"_save": "Save", "balance": "1000", "state": "paid", "credits": "9", "post": "yes"}):
            assert desk.post(address, fields).status_code in (200, 302, 403, 405), address
    assert desk.post("/operators/billing/order/", {"action": "delete_selected", "_selected_action": "1"}).status_code
    assert everything() == before
    assert {model._meta.model_name for model in ours()} == set(MODELS)


def test_superusers_change_nothing_either(rows: None) -> None:
    boss = browser_of(User.objects.create_superuser("boss@example.com"))
    answer = boss.post(
        reverse("admin:billing_ledgeraccount_change", args=[LedgerAccount.objects.filter(kind="available")[0].pk]),
        {"balance": "1000"},
    )
    assert answer.status_code == 403
    assert boss.get(reverse("admin:billing_order_add")).status_code == 403


def found(desk: Client, model: str, term: str) -> int:
    answer = desk.get(reverse(f"admin:billing_{model}_changelist"), {"q": term})
    assert answer.status_code == 200
    return int(answer.context["cl"].result_count)


def test_a_search_compares_whole_ids(desk: Client, rows: None, owner: User, stranger: User) -> None:
    ledger.balance(stranger)
    job = Transaction.objects.exclude(job=None)[0].job
    mine = Order.objects.get()
    for model, term, count in (
        ("ledgeraccount", str(owner.pk), LedgerAccount.objects.filter(user=owner).count()),
        ("transaction", str(job), Transaction.objects.filter(job=job).count()),
        ("transaction", "payment:cs_1", 1),
        ("transaction", "payment:cs_", 0),
        ("order", str(mine.pk), 1),
        ("order", str(mine.session_id), 1),
        ("order", str(mine.session_id)[:-1], 0),
        ("payment", "cs_1", 1),
        ("payment", "CS_1", 0),
        ("payment", "cs", 0),
        ("subscription", "sub_1", 1),
        ("stripeevent", "evt_1", 1),
        ("stripeevent", "in_1", 1),
        ("payment", owner.email, 0),
        ("adjustment", str(owner.pk), 2),
        ("ledgeraccount", "9" * 40, 0),
        ("order", "%' OR 1=1 --", 0),
    ):
        assert found(desk, model, term) == count, (model, term)


def form(**said: object) -> dict[str, object]:
    return {"key": uuid.uuid4(), "credits": "5", "reason": WHY, "signed": "on", **said}


def test_adjusting(desk: Client, operator: User, owner: User) -> None:
    address = reverse("admin:billing_adjust")
    page = desk.get(address)
    said = form(account=owner.email.upper(), key=page.context["form"].initial["key"])
    answer = desk.post(address, said, follow=True)
    made = Adjustment.objects.get()
    assert answer.redirect_chain[0][0] == reverse("admin:billing_adjustment_change", args=[made.pk])
    assert f"Account {owner.pk}: +5. Now 15 credits are available, 0 owed." in answer.content.decode()
    assert (made.actor, made.reason, made.transaction.user) == (operator, WHY, owner)
    desk.post(address, said)  # pressed twice
    assert ledger.balance(owner).available == 15
    desk.post(address, form(account=owner.pk, credits="-15"))
    assert ledger.balance(owner).available == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"account": "nobody@example.com"}, "There is no such account."),
        ({"account": "owner"}, "There is no such account."),
        ({"account": "9" * 30}, "There is no such account."),
        ({"account": "operator@example.com"}, "Nobody signs for their own account"),
        ({"account": "\x00"}, "Null characters are not allowed."),
        ({"credits": "0"}, "0 credits would change nothing."),
        ({"credits": "-11"}, "There are 10 available to take."),
        ({"credits": "9" * 30}, "less than or equal to"),
        ({"credits": "five"}, "Enter a whole number."),
        ({"reason": "short"}, "at least 10 characters"),
        ({"reason": "x" * 201}, "at most 200 characters"),
        ({"signed": ""}, "This field is required."),
        ({"key": "x"}, "Nothing was changed."),
    ],
)
def test_a_form_that_is_not_signed_for_changes_nothing(
    desk: Client, owner: User, wrong: dict[str, str], said: str
) -> None:
    answer = desk.post(reverse("admin:billing_adjust"), form(**{"account": owner.email, **wrong}))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Adjustment.objects.exists()
    assert ledger.balance(owner).available == 10


def test_a_used_form_tells_nothing_else(desk: Client, owner: User) -> None:
    said = form(account=owner.email)
    desk.post(reverse("admin:billing_adjust"), said)
    answer = desk.post(reverse("admin:billing_adjust"), {**said, "credits": "6"})
    assert answer.status_code == 422
    assert "This form was used already." in answer.content.decode()
    assert ledger.balance(owner).available == 15


def test_a_customer_adjusts_nothing(client: Client, browser: Client, owner: User) -> None:
    address = reverse("admin:billing_adjust")
    assert client.post(address, form(account=owner.email)).status_code == 302
    assert browser.post(address, form(account=owner.email), follow=True).status_code in (403, 405)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_user("operator@example.com", is_staff=True))
    assert strict.post(address, form(account=owner.email)).status_code == 403
    assert not Adjustment.objects.exists()


def test_signing_in_and_passwords_are_not_the_admins(client: Client, desk: Client) -> None:
    answer = client.get("/operators/login/?next=/operators/")
    assert (answer.status_code, answer["Location"]) == (302, f"{reverse('account_login')}?next=%2Foperators%2F")
    assert client.post("/operators/login/", {"username": "x", "password": "y"}).status_code == 302
    assert desk.get("/operators/password_change/")["Location"] == reverse("account_change_password")
