"""Addresses of the pages about what is kept and destroyed."""

from django.urls import path

from privacy import views

app_name = "privacy"

urlpatterns = [
    path("verify", views.verify, name="verify"),
    path("verify/keys.json", views.keys, name="keys"),
]
