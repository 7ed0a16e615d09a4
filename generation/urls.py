"""Addresses of the main job's pages."""

from django.urls import path

from generation import on_device, provider_pages, usage_pages, views, webhooks
from generation.notifications import pages

app_name = "generation"

urlpatterns = [
    path("", views.landing, name="landing"),
    path("create", views.create, name="create"),
    path("providers", provider_pages.providers, name="providers"),
    path("account/photos", provider_pages.limits, name="limits"),
    path("account/usage", usage_pages.page, name="usage"),
    path("account/usage/by-<slug:by>.<slug:form>", usage_pages.save, name="usage_file"),
    path("account/usage/calls", usage_pages.calls, name="calls"),
    path("account/usage/calls.csv", usage_pages.calls_csv, name="calls_csv"),
    path("account/webhooks", pages.overview, name="webhooks"),
    path("account/webhooks/new", pages.new, name="webhook_new"),
    path("account/webhooks/<uuid:webhook_id>", pages.one, name="webhook"),
    path("account/webhooks/<uuid:webhook_id>/rotate", pages.rotate, name="webhook_rotate"),
    path("account/webhooks/<uuid:webhook_id>/test", pages.test, name="webhook_test"),
    path("account/webhooks/<uuid:webhook_id>/again", pages.replay, name="webhook_again"),
    path("account/webhooks/<uuid:webhook_id>/again/<uuid:delivery_id>", pages.replay, name="webhook_replay"),
    path("account/webhooks/<uuid:webhook_id>/disable", pages.disable, name="webhook_disable"),
    path("account/webhooks/<uuid:webhook_id>/enable", pages.enable, name="webhook_enable"),
    path("account/webhooks/<uuid:webhook_id>/delete", pages.delete, name="webhook_delete"),
    path("hooks/<slug:name>", webhooks.hook, name="hook"),
    path("device/<slug:digest>.onnx", on_device.weights, name="weights"),
    path("history", views.job_history, name="history"),
    path("history/kept", views.kept, name="kept"),
    path("jobs/<uuid:job_id>", views.job, name="job"),
    path("jobs/<uuid:job_id>/events", views.job_events, name="events"),
    path("jobs/<uuid:job_id>/state", views.state, name="state"),
    path("jobs/<uuid:job_id>/asset", views.asset, name="asset"),
    path("jobs/<uuid:job_id>/acknowledge", views.acknowledge, name="acknowledge"),
    path("jobs/<uuid:job_id>/cancel", views.cancel, name="cancel"),
    path("jobs/<uuid:job_id>/receipt", views.receipt, name="receipt"),
]
