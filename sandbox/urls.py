"""Addresses of the stand-ins; included by modelmyimage/urls.py with MODE=local only."""

from django.urls import path

from sandbox import mailbox

app_name = "sandbox"

urlpatterns = [
    path("mailbox", mailbox.index, name="mailbox"),
    path("mailbox/empty", mailbox.empty, name="mailbox_empty"),
    path("mailbox/<str:message_id>", mailbox.message, name="mailbox_message"),
]
