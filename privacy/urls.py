"""Addresses of the pages about what is kept and destroyed."""

from django.urls import path

from privacy import data_pages, views

app_name = "privacy"

urlpatterns = [
    path("verify", views.verify, name="verify"),
    path("verify/keys.json", views.keys, name="keys"),
    path("privacy/data", data_pages.held, name="data"),
    path("account/data", data_pages.own, name="own"),
    path("account/data/confirm", data_pages.confirm, name="confirm"),
    path("account/data/copy", data_pages.copy, name="copy"),
]
