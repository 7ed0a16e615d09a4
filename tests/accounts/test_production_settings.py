"""In production: no stand-ins, no sign-in links, cookies over TLS only."""

from __future__ import annotations

import base64
import json
import subprocess
import sys

from tests.environment import ROOT, bare

PROBE = """
import json, sys
import django
django.setup()
from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string
import modelmyimage.urls
def known(name, *args):
    try:
        return bool(reverse(name, args=args))
    except NoReverseMatch:
        return False
storage = import_string(settings.MESSAGE_STORAGE)
notices = [each.cookie_name for each in storage.storage_classes if hasattr(each, "cookie_name")]
print(json.dumps({
    "sandbox": [name for name in sys.modules if name.split(".")[0] == "sandbox"],
    "s3": "boto3" in sys.modules,
    "installed": "sandbox" in settings.INSTALLED_APPS,
    "mailbox": known("sandbox:mailbox"),
    "link": known("accounts:link", "x"),
    "login": known("account_login"),
    "names": [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME, *notices],
    "same_site": [settings.SESSION_COOKIE_SAMESITE, settings.CSRF_COOKIE_SAMESITE],
    "secure": [settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SESSION_COOKIE_HTTPONLY,
               settings.CSRF_COOKIE_HTTPONLY, settings.LANGUAGE_COOKIE_SECURE, settings.LANGUAGE_COOKIE_HTTPONLY],
    "insecure_passkeys": settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN,
    "file_mail": "filebased" in settings.EMAIL_BACKEND,
}))
"""


def test_production() -> None:
    key = base64.b64encode(bytes(32)).decode()
    ended = subprocess.run(
        [sys.executable, "-c", PROBE],
        cwd=ROOT,
        env={
            **bare(),
            "DJANGO_SETTINGS_MODULE": "modelmyimage.settings",
            "MODE": "production",
            "STATE_DIR": "/nonexistent",
            "SECRET_KEY": "x" * 60,
            "MASTER_KEYS": f"k:{key}",
            "SIGNING_KEYS": f"k:{key}",
            "SITE_URL": "https://models.example",
            "ALLOWED_HOSTS": "models.example",
            "DATABASE_URL": "sqlite:///:memory:",
            "CACHE_URL": "redis://127.0.0.1:6379/1",
            "KEYSTORE_URL": "redis://127.0.0.1:6380/0",
            "BROKER_URL": "redis://127.0.0.1:6379/0",
            "STORE_URL": "file:///nonexistent",
            "EMAIL_URL": "smtp://localhost:25",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert json.loads(ended.stdout) == {
        "sandbox": [],
        "s3": False,  # it costs a fifth of a start, and these objects lie in a folder
        "installed": False,
        "mailbox": False,
        "link": False,
        "login": True,
        "names": ["__Host-sessionid", "__Host-csrftoken", "__Host-django_language", "__Host-messages"],
        "same_site": ["Lax", "Lax"],
        "secure": [True] * 6,
        "insecure_passkeys": False,
        "file_mail": False,
    }
