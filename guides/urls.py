"""Addresses of the guides."""

from django.urls import path, re_path

from guides import views

app_name = "guides"

urlpatterns = [
    path("guides", views.contents, name="contents"),
    path("guides/search", views.results, name="search"),
    re_path(r"^guides/(?P<name>(?:adr/)?[a-z0-9-]{1,100})$", views.guide, name="guide"),
]
