"""Addresses of what the public is told."""

from django.urls import path

from trust import views

urlpatterns = [path("trust", views.page, name="trust")]
