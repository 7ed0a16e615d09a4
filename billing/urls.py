"""Addresses of the price list, of one's own credits, of buying, and Stripe's."""

from django.urls import path

from billing import purchasing, views, webhooks

app_name = "billing"

urlpatterns = [
    path("pricing", views.pricing, name="pricing"),
    path("billing", views.home, name="home"),
    path("billing/ledger.csv", views.ledger_csv, name="ledger_csv"),
    path("billing/spending", views.spending, name="spending"),
    path("billing/orders", purchasing.buy, name="buy"),
    path("billing/orders/<uuid:order_id>", purchasing.order, name="order"),
    path("billing/orders/<uuid:order_id>/resume", purchasing.resume, name="resume"),
    path("billing/portal", purchasing.portal, name="portal"),
    path("billing/payments/<int:payment_id>/document", purchasing.document, name="document"),
    path("billing/webhook", webhooks.receive, name="webhook"),
]
