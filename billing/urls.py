"""Addresses of buying and of the ledger."""

from django.urls import path

from billing import webhooks

app_name = "billing"

urlpatterns = [
    path("billing/webhook", webhooks.receive, name="webhook"),
]
