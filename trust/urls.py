"""Addresses of what the public is told."""

from django.urls import include, path, re_path

from trust import banner, contact, pages, views
from trust.models import Document

DOCUMENT = f"(?P<document>{'|'.join(Document.values)})"

named = [
    re_path(rf"^{DOCUMENT}$", pages.current, name="document"),
    re_path(rf"^{DOCUMENT}/versions$", pages.versions, name="versions"),
    re_path(rf"^{DOCUMENT}/versions/(?P<number>[1-9][0-9]{{0,5}})$", pages.version, name="version"),
    re_path(rf"^{DOCUMENT}/difference$", pages.difference, name="difference"),
    path("faq", pages.short, {"name": "faq"}, name="faq"),
    path("about", pages.short, {"name": "about"}, name="about"),
    path("contact", contact.contact, name="contact"),
    path("contact/sent", contact.sent, name="contact_sent"),
    path("changes/put-away", banner.put_away, name="put_away"),
]
urlpatterns = [path("trust", views.page, name="trust"), path("", include((named, "trust")))]
