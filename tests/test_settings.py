"""Settings come from the environment alone; production refuses to start without its secrets."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from celery.schedules import crontab

from scripts import check
from tests.environment import ROOT, bare

SECRETS = ("SECRET_KEY", "MASTER_KEYS", "SIGNING_KEYS")
SHOWN = """
import json
from modelmyimage import settings
names = NAMES
print(json.dumps({name: getattr(settings, name, None) for name in names}, default=str))
"""


def load(environment: dict[str, str], *names: str) -> subprocess.CompletedProcess[str]:
    """Import the settings in a process of their own and print some of them as JSON."""
    program = SHOWN.replace("NAMES", repr(names))
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, env={**bare(), **environment}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("value", [None, ""])
def test_production_refuses_to_start_without_a_secret(name: str, value: str | None, tmp_path: Path) -> None:
    environment = production(tmp_path)
    del environment[name]
    if value is not None:
        environment[name] = value
    refused = load(environment)
    assert refused.returncode != 0
    assert f"{name} is not set" in refused.stderr.splitlines()[-1]


def test_production_is_the_default_and_strict(tmp_path: Path) -> None:
    environment = production(tmp_path)
    del environment["MODE"]
    names = ("LOCAL", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "DEBUG", "INSTALLED_APPS")
    loaded = load(environment, *names, "SECURE_PROXY_SSL_HEADER")
    assert loaded.returncode == 0, loaded.stderr
    values = json.loads(loaded.stdout)
    assert (values["LOCAL"], values["DEBUG"]) == (False, False)
    assert values["SECURE_SSL_REDIRECT"]
    assert values["SESSION_COOKIE_SECURE"]
    assert values["CSRF_COOKIE_SECURE"]
    assert values["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]
    assert "sandbox" not in values["INSTALLED_APPS"]


def test_no_proxy_header_is_believed_unless_named(tmp_path: Path) -> None:
    environment = production(tmp_path)
    del environment["PROXY_SSL_HEADER"]
    assert json.loads(load(environment, "SECURE_PROXY_SSL_HEADER").stdout) == {"SECURE_PROXY_SSL_HEADER": None}


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    refused = load({**check.local(str(tmp_path)), "MODE": "staging"})
    assert refused.returncode != 0
    assert "'production' or 'local'" in refused.stderr


def test_customers_call_this_machine_in_development_alone(tmp_path: Path) -> None:
    refused = load({**check.local(str(tmp_path)), "MODE": "production", "WEBHOOKS_TO_LOOPBACK": "true"})
    assert refused.returncode != 0
    assert "WEBHOOKS_TO_LOOPBACK" in refused.stderr


def test_the_environment_wins_over_the_state_folder(tmp_path: Path) -> None:
    values = check.local(str(tmp_path))
    lines = [f"{name}={values[name]}" for name in SECRETS]
    (tmp_path / "local.env").write_text("\n".join([*lines, "MODE=local", "GRANT_CREDITS=3", "UPLOAD_LIMIT_MB=1", ""]))
    loaded = load({"STATE_DIR": str(tmp_path), "GRANT_CREDITS": "7"}, *SECRETS, "GRANT_CREDITS", "UPLOAD_LIMIT_BYTES")
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout) == {
        **{name: values[name] for name in SECRETS},
        "GRANT_CREDITS": 7,
        "UPLOAD_LIMIT_BYTES": 1_000_000,
    }


def test_a_complete_production_environment_has_no_warning(tmp_path: Path) -> None:
    environment = check.in_files(production(tmp_path), tmp_path)
    done = manage("check", "--deploy", "--fail-level", "WARNING", environment=environment)
    assert done.returncode == 0, done.stderr


def test_a_key_store_on_the_brokers_server_is_refused(tmp_path: Path) -> None:
    environment = {**production(tmp_path), "BROKER_URL": os.environ["KEYSTORE_URL"].replace("unix:", "redis+socket:")}
    done = manage("check", "--deploy", environment=environment)
    assert done.returncode != 0
    assert "privacy.E004" in done.stderr


A_WRONG_CLOCK = 300
"""Seconds that a worker's clock may be ahead by without every message being too late for it."""


def test_periodic_messages_do_not_pile_up_while_workers_are_away(settings) -> None:
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items():
        if isinstance(entry["schedule"], crontab):  # once a day
            assert entry["options"]["expires"] <= 3600, name
        else:
            assert max(entry["schedule"], A_WRONG_CLOCK) <= entry["options"]["expires"] <= 600, name


def production(state: Path) -> dict[str, str]:
    """A complete production environment, with this run's key store."""
    return check.production(str(state), keystore=os.environ["KEYSTORE_URL"])


def manage(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a management command in an environment of its own."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**bare(), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
