"""Addresses of accounts: allauth's pages below /account/, the overview, and sign-in links on a laptop."""

from django.conf import settings
from django.urls import include, path

from accounts import mail_choice, views

app_urls = [path("account/", views.home, name="home"), path("account/mail", mail_choice.page, name="mail")]
if settings.LOCAL:
    app_urls.append(path("in/<str:token>", views.link, name="link"))

urlpatterns = [
    path("", include((app_urls, "accounts"))),
    path("account/", include("allauth.urls")),
]
