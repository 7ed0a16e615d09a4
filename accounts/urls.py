"""Addresses of accounts: allauth's pages below /account/, the overview, and sign-in links on a laptop."""

from django.conf import settings
from django.urls import include, path

from accounts import key_pages, language, mail_choice, overview, recovery_codes, second_factor, theme, views

app_urls = [
    path("account/", overview.page, name="home"),
    path("account/second-step", second_factor.page, name="second_step"),
    path("account/mail", mail_choice.page, name="mail"),
    path("account/keys", key_pages.overview, name="keys"),
    path("account/keys/new", key_pages.new, name="key_new"),
    path("account/keys/<uuid:key_id>", key_pages.one, name="key"),
    path("account/keys/<uuid:key_id>/rotate", key_pages.rotate, name="key_rotate"),
    path("account/keys/<uuid:key_id>/disable", key_pages.disable, name="key_disable"),
    path("account/keys/<uuid:key_id>/enable", key_pages.enable, name="key_enable"),
    path("account/keys/<uuid:key_id>/delete", key_pages.delete, name="key_delete"),
    path("language", language.page, name="language"),
    path("theme", theme.page, name="theme"),
    path("keys/leaked", key_pages.leaked, name="keys_leaked"),
]
if settings.LOCAL:
    app_urls.append(path("in/<str:token>", views.link, name="link"))

urlpatterns = [
    path("", include((app_urls, "accounts"))),
    path("account/2fa/recovery-codes/", recovery_codes.page, name="mfa_view_recovery_codes"),
    path("account/", include("allauth.urls")),
]
