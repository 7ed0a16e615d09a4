"""Addresses of the pages about what is kept and destroyed."""

from django.urls import path

from privacy import data_pages, erasure_pages, published, views, well_known
from privacy.requests import pages

app_name = "privacy"

urlpatterns = [
    path("verify", views.verify, name="verify"),
    path("verify/keys.json", views.keys, name="keys"),
    path(".well-known/security.txt", well_known.security_txt, name="security_txt"),
    path(".well-known/gpc.json", well_known.gpc, name="gpc"),
    path("privacy/data", data_pages.held, name="data"),
    path("privacy/requests", pages.form, name="requests"),
    path("privacy/requests/sent", pages.sent, name="requests_sent"),
    path("privacy/requests/<str:token>", pages.one, name="request"),
    path("privacy/requests/<str:token>/confirm", pages.confirm, name="request_confirm"),
    path("privacy/requests/<str:token>/withdraw", pages.withdraw, name="request_withdraw"),
    path("account/data", data_pages.own, name="own"),
    path("account/data/confirm", data_pages.confirm, name="confirm"),
    path("account/data/copy", data_pages.copy, name="copy"),
    path("account/erase", erasure_pages.erase, name="erase"),
    path("account/erase/confirm", erasure_pages.confirm, name="erase_confirm"),
    path("account/erase/ask", erasure_pages.ask, name="erase_ask"),
    path("account/erase/undo", erasure_pages.undo, name="erase_undo"),
    path("erasure/<str:token>", erasure_pages.status, name="erasure"),
    path("erasure/<str:token>/certificate.json", erasure_pages.certificate, name="certificate"),
    path("verify/verify.py", views.verifier, name="verifier"),
    path(".well-known/modelmyimage-log.json", published.well_known, name="log"),
    path("log/head", published.head, name="log_head"),
    path("log/heads", published.head_list, name="log_heads"),
    path("log/proof", published.proof, name="log_proof"),
    path("log/consistency", published.consistency, name="log_consistency"),
]
