"""The processes that the compose file describes, started here: a model is made through two web processes, and is gone.

The longest of the suite's tests by processor time, so it runs with ``make test-long`` alone.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import trimesh

from scripts import check, postgres
from scripts.stack.native import Stack
from tests.long import LONG

pytestmark = [pytest.mark.stack, pytest.mark.skipif(not LONG, reason="make test-long")]
PHOTO = Path(__file__).resolve().parents[2] / "static" / "samples" / "mug.jpg"
KEY = """
from accounts import keys
from accounts.scopes import USUAL
from accounts.models import User
from billing import ledger
user = User.objects.create_user("stack@example.com")
ledger.grant(user=user, credits=50, key="stack", reason="test")
print("KEY", keys.make(owner=user, name="stack", scopes=list(USUAL))[1])
"""
LEFT = """
from privacy.models import Blob
from generation.models import Job
print("LEFT", Blob.objects.exclude(state="destroyed").count(), Job.objects.exclude(stage="over").count())
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    stack = Stack({"LOG_HEAD_MINUTES": "0.05"})
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()
        assert not stack.folder.exists()


def until(condition, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_a_model_is_made_through_two_web_processes_and_is_gone(stack: Stack) -> None:
    first, second = stack.addresses
    secret = stack.manage("shell", "-c", KEY).split("KEY ")[1].strip()
    headers = {**stack.headers, "Authorization": f"Bearer {secret}"}
    with httpx.Client(headers=headers, timeout=90) as client:
        # What is not asked for by TLS is sent there.
        plain = client.get(f"{first}/", headers={"X-Forwarded-Proto": "http"})
        assert (plain.status_code, plain.headers["Location"].split(":")[0]) == (301, "https")

        made = client.post(f"{first}/api/v1/jobs?quality=draft", content=PHOTO.read_bytes(),
                           headers={"Content-Type": "image/jpeg"})  # fmt: skip
        assert made.status_code == 201, made.text
        job = f"/api/v1/jobs/{made.json()['id']}"

        # The process that took the photo is killed, and compose starts it again: the other one knows the job.
        killed = stack.running["web-1"].process
        assert killed is not None
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(10)
        assert stack.tend() == ["web-1"]
        until(lambda: client.get(f"{second}{job}?wait=30").json()["stage"] == "deliver", 240)

        asset = client.get(f"{second}{job}/asset")
        assert asset.status_code == 200
        assert trimesh.load_scene(io.BytesIO(asset.content), file_type="glb").geometry
        assert client.delete(f"{first}{job}/asset").status_code in (200, 202, 204)
        until(lambda: client.get(f"{first}{job}").json()["stage"] == "over", 60)
    assert stack.manage("shell", "-c", LEFT).split("LEFT ")[1].split() == ["0", "0"]
    assert [path for path in (stack.folder / "volumes" / "blobs").rglob("*") if path.is_file()] == []
    stack.manage("audit_retention")
    stack.manage("verify_ledger")
    until(lambda: "1 entries" in stack.manage("verify_log"), 30)


def test_it_passes_its_own_check_once_its_operator_is_named(stack: Stack) -> None:
    whose = ("OPERATOR_", "CONTACT_EMAIL", "GOVERNING_LAW", "HOSTING", "PRIVACY_CONTACT", "DEFAULT_FROM_EMAIL")
    named = {name: value for name, value in check.production("", keystore="").items() if name.startswith(whose)}
    command = [sys.executable, "manage.py", "check", "--deploy"]
    done = subprocess.run(
        command, cwd=check.ROOT, env={**stack.environment, **named}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "knows no lifecycle rules" in done.stderr  # which is why the compose file has the service "expire"


def test_what_the_proxy_would_let_through_was_written_from_the_cards(stack: Stack) -> None:
    written = (stack.folder / "volumes" / "egress-list" / "allowed.conf").read_text()
    assert "acl own0_host dstdomain -n localhost" in written  # the mail server of the secrets as they are made
    assert written.endswith("http_access deny all\n")


def test_no_secret_is_in_a_process_list_or_environment(stack: Stack) -> None:
    secrets = [path.read_text().strip() for path in (stack.folder / "secrets").iterdir() if path.is_file()]
    passwords = [secret for secret in secrets if len(secret) > 20]
    assert len(passwords) > 10
    for one in stack.running.values():
        assert one.process is not None
        seen = (
            Path(f"/proc/{one.process.pid}/cmdline").read_text() + Path(f"/proc/{one.process.pid}/environ").read_text()
        )
        if one.service.name == "s3":
            continue  # rclone takes its key from its environment alone
        assert not [secret for secret in passwords if secret in seen], one.service.name


def drilled(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The drill with the stack's keys and Postgres's programs."""
    environment = stack.environment
    environment["PATH"] = f"{postgres.programs(stack.folder)}{os.pathsep}{environment['PATH']}"
    command = [sys.executable, "-m", "scripts.restore_drill", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_restored_copy_proves_itself_and_a_spoilt_one_does_not(stack: Stack) -> None:
    site = (stack.folder / "secrets" / "database_url").read_text().strip()
    copy = site.removesuffix("/site") + "/drill"
    password = (stack.folder / "secrets" / "postgres_admin_password").read_text().strip()
    admin = f"postgres://postgres:{password}@{copy.partition('@')[2]}"
    with psycopg.connect(admin.removesuffix("drill") + "postgres", autocommit=True) as database:
        database.execute("CREATE DATABASE drill OWNER site")
    good = drilled(stack, "--from", site, "--into", copy)
    assert (good.returncode, good.stderr) == (0, "")
    assert "The ledger is sound." in good.stdout
    assert "The log of 1 entries" in good.stdout
    assert "is not empty" in drilled(stack, "--from", site, "--into", copy).stderr
    with psycopg.connect(copy) as database, pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute("SET session_replication_role = replica")
    with psycopg.connect(admin) as database:
        database.execute("SET session_replication_role = replica")  # past the triggers that refuse it
        database.execute("DELETE FROM billing_entry WHERE id = (SELECT min(id) FROM billing_entry)")
    bad = drilled(stack, "--restored", "--into", copy)
    assert bad.returncode == 1
    assert "The drill failed." in bad.stderr
    assert "Traceback" not in bad.stderr
