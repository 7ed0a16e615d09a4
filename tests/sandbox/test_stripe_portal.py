"""The customer portal's pages: what the configuration allows, for one customer alone."""

from __future__ import annotations

import re
from typing import Any

from sandbox.stripe import Sandbox
from tests.sandbox.browsing import look, press
from tests.sandbox.stripes import client, plan, subscribed


def portal(running: Sandbox, customer: str, prices: list[Any], **more: Any) -> Any:
    api = client(running)
    features: Any = {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
            "products": [{"product": str(one.product), "prices": [one.id]} for one in prices],
        },
    }
    configuration = api.v1.billing_portal.configurations.create({"features": features})
    given: Any = {"customer": customer, "configuration": configuration.id, **more}
    given["return_url"] = "https://site.example/billing"
    return api.v1.billing_portal.sessions.create(given)


def test_the_portal(running, browser) -> None:
    one, big, dollars = subscribed(running), plan(running, 3000, key="big"), plan(running, 1, key="other")
    session = portal(running, one["customer"], [big])
    text = look(browser.get(session.url))
    assert 'href="https://site.example/billing"' in text
    assert re.search(r'href="/invoices/in_\w+"', text)

    press(browser, session.url, do="cancel", subscription=one["id"])
    assert running.get("subscription", one["id"])["cancel_at_period_end"]
    assert "Keep it after all" in look(browser.get(session.url))
    press(browser, session.url, do="resume", subscription=one["id"])
    assert not running.get("subscription", one["id"])["cancel_at_period_end"]

    assert press(browser, session.url, do="change", subscription=one["id"], price=dollars.id).status_code == 400
    press(browser, session.url, do="change", subscription=one["id"], price=big.id)
    assert running.get("subscription", one["id"])["items"]["data"][0]["price"]["id"] == big.id

    press(browser, session.url, do="card", card="declined")
    running.advance_to_renewal(one["id"])
    assert running.get("subscription", one["id"])["status"] == "past_due"
    late = browser.get(session.url)
    assert late.status_code == 410
    press(browser, session.url, do="card", card="ok")  # no more: the page has expired
    running.advance(3)
    assert running.get("subscription", one["id"])["status"] == "past_due"
    press(browser, portal(running, one["customer"], []).url, do="card", card="ok")
    running.advance(5)
    assert running.get("subscription", one["id"])["status"] == "active"


def test_the_portal_is_one_customers(running, browser) -> None:
    mine, theirs = subscribed(running), subscribed(running, price=plan(running, key="theirs"))
    session = portal(running, mine["customer"], [])
    assert press(browser, session.url, do="cancel", subscription=theirs["id"]).status_code == 404
    assert not running.get("subscription", theirs["id"])["cancel_at_period_end"]
    assert theirs["latest_invoice"] not in browser.get(session.url).text


def test_a_flow_shows_its_part_and_leads_back(running, browser) -> None:
    one = subscribed(running)
    flow: Any = {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": one["id"]},
        "after_completion": {"type": "redirect", "redirect": {"return_url": "https://site.example/back"}},
    }
    session = portal(running, one["customer"], [], flow_data=flow)
    text = look(browser.get(session.url))
    assert "Cancel at the end of the period" in text
    assert "Way to pay" not in text
    done = press(browser, session.url, do="cancel", subscription=one["id"])
    assert done.headers["location"] == "https://site.example/back"
