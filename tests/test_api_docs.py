"""Every example of the API's page and of its guide, typed into a shell, does what it says at a running site."""

from __future__ import annotations

import html
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from modelmyimage.api_page import EXAMPLES
from tests.stack import RunningSite
from tests.visitor import Visitor

pytestmark = [pytest.mark.stack]
ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "api.md").read_text()


@pytest.fixture(scope="module")
def visitor(site: RunningSite) -> Visitor:
    found = Visitor(site.url)
    found.sign_in(site.link_of("examples@localhost.localdomain"))
    return found


@pytest.fixture(scope="module")
def secret(visitor: Visitor) -> str:
    """A key that may do everything, made on the pages."""
    token = visitor._token(visitor.http.get("/account/keys/new").text)
    scopes = ["generate", "read", "billing:read", "usage:read", "webhooks", "privacy"]
    made = visitor.http.post(
        "/account/keys/new",
        data={"csrfmiddlewaretoken": token, "name": "examples", "scopes": scopes},
        headers=visitor._referer("/account/keys/new"),
    )
    found = re.search(r'value="(mmi_[0-9A-Za-z]{49})"', made.text)
    assert found, made.text[:500]
    return found[1]


@pytest.fixture(scope="module")
def shell(site: RunningSite, secret: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Types a line; what it prints. Fails on any answer that is an error."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "photo.jpg").write_bytes((ROOT / "static" / "samples" / "mug.jpg").read_bytes())
    (folder / ".curlrc").write_text("silent\nshow-error\nfail-with-body\nmax-time = 60\n")

    def run(line: str, **variables: str) -> bytes:
        environment = {**os.environ, "CURL_HOME": str(folder), "KEY": secret, "SITE": site.url, **variables}
        done = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True, check=False)
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        return done.stdout

    run.folder = folder  # type: ignore[attr-defined]
    return run


def over(shell: Callable[..., bytes], job: str) -> None:
    for _ in range(100):
        if json.loads(shell(EXAMPLES["get_job"], JOB=job))["over"]:
            return
        time.sleep(0.1)
    raise AssertionError(f"{job} is not over")


def test_the_page_shows_the_examples(visitor: Visitor, site: RunningSite) -> None:
    page = visitor.http.get("/api").text
    shown = [html.unescape(found) for found in re.findall(r'<pre class="code"[^>]*><code>(.*?)</code></pre>', page)]
    assert shown[0] == shown[1] == EXAMPLES["generate"].replace("$SITE", site.url)
    assert set(shown) == {example.replace("$SITE", site.url) for example in EXAMPLES.values()}
    assert len(page.encode()) < 100_000


def test_a_model_in_one_request(shell: Callable[..., bytes]) -> None:
    folder = shell.folder  # type: ignore[attr-defined]
    assert re.findall(r"^    (curl .*)$", GUIDE, re.M)[0] == EXAMPLES["generate"]
    shell(EXAMPLES["generate"])
    assert (folder / "model.glb").read_bytes()[:4] == b"glTF"


def test_every_example_in_the_order_of_a_job(shell: Callable[..., bytes], visitor: Visitor, secret: str) -> None:
    folder = shell.folder  # type: ignore[attr-defined]
    guide = re.findall(r"^    (curl .*)$", GUIDE, re.M)
    assert len(guide) == 8
    for send, look, fetch, destroy in (
        [EXAMPLES[name] for name in ("send_job", "get_job", "fetch_asset", "destroy_asset")],
        guide[1:5],
    ):
        (folder / "model.glb").unlink(missing_ok=True)
        job = json.loads(shell(send))["id"]
        assert json.loads(shell(look, JOB=job))["state"] == "ready"
        assert job in shell(EXAMPLES["list_jobs"]).decode()
        shell(fetch, JOB=job)
        assert (folder / "model.glb").read_bytes()[:4] == b"glTF"
        shell(destroy, JOB=job)
        over(shell, job)
    assert b"event: state" in shell(EXAMPLES["follow_job"], JOB=job)
    raw = json.loads(shell(guide[5]))["id"]
    assert json.loads(shell(EXAMPLES["cancel_job"], JOB=raw))["id"] == raw
    assert json.loads(shell(EXAMPLES["list_providers"]))["providers"]
    assert json.loads(shell(EXAMPLES["get_balance"]))["available"] >= 0
    assert json.loads(shell(EXAMPLES["list_ledger"]))["lines"]
    assert guide[6] == EXAMPLES["list_keys"]
    assert [key["name"] for key in json.loads(shell(guide[6]))["keys"] if key["current"]] == ["examples"]
    assert json.loads(shell(guide[7]))["by"] == "endpoint"
    assert shell(EXAMPLES["get_usage"]).decode().splitlines()[0].startswith("key,label,calls,")
    shell(EXAMPLES["export_data"])
    assert (folder / "my-data.zip").read_bytes()[:2] == b"PK"
    for _ in range(200):
        receipt = json.loads(shell(EXAMPLES["get_receipt"], JOB=job))
        if "head" in receipt.get("log", {}):
            break
        time.sleep(0.1)
    assert json.loads(shell(EXAMPLES["get_log_head"]))["head"]["size"] >= 1
    from privacy import log, signing

    leaf = log.leaf(digest=signing.digest(receipt), salt=bytes.fromhex(receipt["log"]["salt"])).hex()
    proof = json.loads(shell(EXAMPLES["get_log_proof"], LEAF=leaf, SIZE=str(receipt["log"]["size"])))
    assert proof["path"] == receipt["log"]["path"]


def test_the_life_of_a_webhook(shell: Callable[..., bytes]) -> None:
    """Its address is an example's, so nobody takes what is sent there; it can be sent again."""
    webhook = json.loads(shell(EXAMPLES["make_webhook"]))["id"]
    assert webhook in shell(EXAMPLES["list_webhooks"]).decode()
    assert json.loads(shell(EXAMPLES["change_webhook"], WEBHOOK=webhook))["description"] == "the shop"
    delivery = json.loads(shell(EXAMPLES["test_webhook"], WEBHOOK=webhook))["id"]
    waiting = EXAMPLES["list_deliveries"].replace("given_up", "waiting")
    for _ in range(100):
        found = json.loads(shell(waiting, WEBHOOK=webhook))["deliveries"]
        if found and found[0]["attempts"]:
            break
        time.sleep(0.1)
    assert (found[0]["id"], found[0]["failure"]["code"]) == (delivery, "unreachable")
    assert json.loads(shell(EXAMPLES["list_deliveries"], WEBHOOK=webhook)) == {"deliveries": [], "next": None}
    assert json.loads(shell(EXAMPLES["replay_delivery"], WEBHOOK=webhook, DELIVERY=delivery))["attempts"] == 0
    shell(EXAMPLES["delete_webhook"], WEBHOOK=webhook)
    assert webhook not in shell(EXAMPLES["list_webhooks"]).decode()


def test_a_client_that_is_killed_leaves_nothing(shell: Callable[..., bytes], site: RunningSite, secret: str) -> None:
    """SIGKILL while it waits: the server sees the connection go, and the job is cancelled and costs nothing."""
    before = json.loads(shell(EXAMPLES["get_balance"]))["available"]
    folder = shell.folder  # type: ignore[attr-defined]
    command = ["curl", "-s", "-F", "image=@photo.jpg", "-F", "quality=high", "-H", f"Authorization: Bearer {secret}"]
    client = subprocess.Popen([*command, f"{site.url}/api/v1/generate"], cwd=folder, stdout=subprocess.DEVNULL)
    job = ""
    for _ in range(200):
        running = json.loads(shell(EXAMPLES["list_jobs"].replace("state=ready", "state=running")))["jobs"]
        job = next((one["id"] for one in running if one["direct"]), "")
        if job:
            break
        time.sleep(0.02)
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert job
    over(shell, job)
    shown = json.loads(shell(EXAMPLES["get_job"], JOB=job))
    assert (shown["state"], shown["credits"]["charged"]) == ("cancelled", 0)
    assert json.loads(shell(EXAMPLES["get_balance"]))["available"] == before


def test_last_the_key_is_reported_as_leaked(shell: Callable[..., bytes]) -> None:
    shell(EXAMPLES["report_leaked_key"])
    with pytest.raises(AssertionError, match="key_invalid"):
        shell(EXAMPLES["get_balance"])


def test_every_example_was_run() -> None:
    """By its name or its line in the tests above."""
    said = Path(__file__).read_text()
    assert [name for name in EXAMPLES if f'"{name}"' not in said] == []
