"""A second factor where it is demanded: of operators before their pages, of everybody before what is theirs."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.test import AsyncClient, Client
from django.urls import reverse

from accounts import checks, second_factor
from accounts.models import User
from tests.accounts.test_account_pages import INLINE

SEED = "JBSWY3DPEHPK3PXP"
HOME, STEP = "/account/", "/account/second-step"


def demand(settings: Any, who: str) -> None:
    """Have it demanded, as the settings of such a site do."""
    settings.SECOND_FACTOR = who
    if who == "everybody":
        settings.MIDDLEWARE = [*settings.MIDDLEWARE, "accounts.second_factor.demanded"]


def test_everybody_is_led_to_set_one_up_and_then_goes_on(client: Client, owner: User, settings: Any) -> None:
    demand(settings, "everybody")
    assert client.get("/").status_code == 200  # nobody is signed in
    assert client.get(reverse("generation:create"))["Location"].startswith(reverse("account_login"))
    client.force_login(owner)
    for address in (HOME, "/create", "/history", "/billing", "/account/keys", "/account/email/"):
        assert client.get(address)["Location"] == STEP, address
        assert client.post(address)["Location"] == STEP, address
    page = client.get(STEP)
    assert reverse("mfa_add_webauthn") in page.content.decode()
    assert INLINE.findall(page.content.decode()) == []
    for address in ("/", "/privacy", "/guides", "/account/erase", "/account/data", "/account/logout/", "/account/2fa/"):
        assert client.get(address).status_code == 200, address
    assert client.get("/nowhere").status_code == 404

    TOTP.activate(owner, SEED)
    assert client.get(HOME).status_code == 200
    assert "You have a second step" in client.get(STEP).content.decode()


@pytest.mark.django_db(transaction=True)
def test_pages_that_are_asked_for_asynchronously_demand_it_too(owner: User, settings: Any) -> None:
    demand(settings, "everybody")
    browser = AsyncClient()
    browser.force_login(owner)

    async def ask() -> list[int]:
        return [(await browser.get(address)).status_code for address in (HOME, STEP)]

    from asgiref.sync import async_to_sync

    assert async_to_sync(ask)() == [302, 200]
    Authenticator.objects.create(user=owner, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert async_to_sync(ask)() == [302, 200], "recovery codes alone are none"
    Authenticator.objects.create(user=owner, type=Authenticator.Type.WEBAUTHN, data={})
    assert async_to_sync(ask)() == [200, 200]


def test_keys_of_programs_are_not_touched(owner: User, settings: Any) -> None:
    demand(settings, "everybody")
    assert Client().get("/api/v1/jobs", headers={"Authorization": "Bearer nothing"}).status_code == 401


def test_operators_need_one_for_their_pages_alone(client: Client, settings: Any, db: None) -> None:
    demand(settings, "operators")
    operator = User.objects.create_user("operator@example.com", is_staff=True)
    client.force_login(operator)
    for address in ("/operators/", "/operators/sessions/", reverse("admin:billing_adjust")):
        assert client.get(address, follow=True).redirect_chain[-1][0] == STEP, address
        assert client.post(address, {"whose": "all"}, follow=True).redirect_chain[-1][0] == STEP, address
    assert client.get(HOME).status_code == 200
    TOTP.activate(operator, SEED)
    assert client.get("/operators/").status_code == 200


def test_of_others_nothing_is_asked_then(client: Client, owner: User, settings: Any) -> None:
    demand(settings, "operators")
    client.force_login(owner)
    assert client.get(HOME).status_code == 200
    assert not second_factor.lacking(owner)


@pytest.mark.parametrize(
    ("who", "chosen", "found"),
    [
        ("operators", True, []), ("everybody", True, []), ("operators", False, ["accounts.W001"]),
        ("nobody", True, ["accounts.E002"]), ("somebody", True, ["accounts.E001"]),
    ],
)  # fmt: skip
def test_what_is_decided_is_checked(settings: Any, who: str, chosen: bool, found: list[str]) -> None:
    settings.SECOND_FACTOR, settings.SECOND_FACTOR_CHOSEN = who, chosen
    messages = checks.a_second_factor_is_a_choice() + checks.a_second_factor_is_asked_for()
    assert [message.id for message in messages] == found
