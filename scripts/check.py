"""Checks that need settings: ``types`` runs mypy, ``django`` runs Django's own checks as production would.

Keys are made for the one run, so that a checkout needs no environment of its own. A key store is started, because
its settings are among what is checked.
"""

import base64
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from modelmyimage.local import valkey
from modelmyimage.local.children import Guard

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent


def key() -> str:
    """A named key that nothing else will ever use."""
    return "check:" + base64.b64encode(secrets.token_bytes(32)).decode()


def password() -> str:
    """One that nothing else will ever use."""
    return secrets.token_urlsafe(24)


def secret_values() -> dict[str, str]:
    """The variables without which the settings refuse to load."""
    return {"SECRET_KEY": secrets.token_urlsafe(48), "MASTER_KEYS": key(), "SIGNING_KEYS": key()}


def local(state: str) -> dict[str, str]:
    """The environment of a laptop."""
    return {**secret_values(), "MODE": "local", "STATE_DIR": state}


def production(state: str, *, keystore: str) -> dict[str, str]:
    """A complete environment of a production site; of the servers in it, only ``keystore`` must answer."""
    return {
        **secret_values(),
        "MODE": "production",
        "STATE_DIR": state,
        "SITE_URL": "https://models.example",
        "ALLOWED_HOSTS": "models.example",
        "PRIVACY_CONTACT": "privacy@models.example",
        "CSRF_TRUSTED_ORIGINS": "https://models.example",
        "PROXY_SSL_HEADER": "X-Forwarded-Proto",
        "DATABASE_URL": f"postgres://site:{password()}@database.invalid/site?sslmode=verify-full",
        "BROKER_URL": f"rediss://:{password()}@broker.example/0",
        "CACHE_URL": f"rediss://:{password()}@broker.example/1",
        "KEYSTORE_URL": keystore,
        "EMAIL_URL": "smtp+tls://site@mail.example:587",
        "DEFAULT_FROM_EMAIL": "ModelMyImage <noreply@models.example>",
        "OPERATOR_NAME": "Example",
        "OPERATOR_ADDRESS": "1 Street, Town",
        "OPERATOR_REGION": "DE",
        "CONTACT_EMAIL": "hello@models.example",
        "GOVERNING_LAW": "The law of Germany",
        "HOSTING": "Example hosting|Germany|runs our machines",
        "SECOND_FACTOR": "operators",
        "LOGS_TO": "logs.example",
    }


def in_files(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The same with each secret in a file of its own, as a site is handed them."""
    found = dict(environment)
    for name in [name for name in found if name.endswith(("_KEY", "_KEYS", "_URL")) and not name.startswith("SITE")]:
        (folder / name).write_text(found.pop(name), encoding="utf-8")
        found[f"{name}_FILE"] = str(folder / name)
    return found


def run(environment: dict[str, str], *command: str) -> int:
    """Run a command with nothing configured but ``environment``; returns its exit code."""
    base = {name: value for name, value in os.environ.items() if name not in production("", keystore="")}
    return subprocess.run(command, cwd=ROOT, env={**base, **environment}, check=False).returncode


def check_django(state: Path) -> int:
    """Migrations are complete, and a production site would start without a warning."""
    manage = (sys.executable, str(ROOT / "manage.py"))
    code = run(local(str(state)), *manage, "makemigrations", "--check", "--dry-run")
    if code:
        return code
    guard, address = Guard(), valkey.socket_folder(state) / "keystore.sock"
    try:
        server = valkey.start(guard, address, state / "keystore", valkey.FORGETTING, state / "keystore.log")
        valkey.wait(server, address)
        environment = in_files(production(str(state), keystore=f"unix://{address}"), state)
        return run(environment, *manage, "check", "--deploy", "--fail-level", "WARNING")
    finally:
        guard.close()


def main(what: str) -> int:
    """Run one kind of check; returns its exit code."""
    with tempfile.TemporaryDirectory(prefix="mmi-") as state:
        if what == "types":
            return run(local(state), str(PROGRAMS / "mypy"), ".")
        return check_django(Path(state))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
