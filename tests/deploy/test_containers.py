"""The compose file as Docker runs it: images as they are built, Caddy, the networks and both proxies.

Needs a Docker engine with Compose 2.24 and the images that the compose file names, so it runs with ``make test-long``,
where there is one. What is the same without Docker is proved by ``test_stack.py``.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import trimesh

from scripts import check
from scripts.stack import compose
from tests.deploy.test_stack import KEY, LEFT, PHOTO
from tests.environment import ROOT
from tests.long import LONG


def _docker(*arguments: str, cwd: Path = ROOT, **rest: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], cwd=cwd, capture_output=True, text=True, check=False, **rest)


def _engine() -> bool:
    return bool(shutil.which("docker")) and _docker("info").returncode == 0


pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not LONG, reason="make test-long"),
    pytest.mark.skipif(LONG and not _engine(), reason="no Docker engine is running here"),
]
NAME: Final = f"modelmyimage-test-{os.getpid()}"
SERVICES: Final = compose.read({"SITE_HOST": "localhost"})
OURS: Final = [name for name, service in SERVICES.items() if service.image == "modelmyimage" and not service.once]
# Ports of this machine's choice and on loopback alone, in place of 80 and 443.
PORTS: Final = 'services: {caddy: {ports: !override ["127.0.0.1::443"]}}\n'
LINK: Final = re.compile(r"""(?:href|src)="(/[^"#?]*)""")
WHOSE: Final = ("OPERATOR_", "CONTACT_EMAIL", "GOVERNING_LAW", "HOSTING", "PRIVACY_CONTACT", "DEFAULT_FROM_EMAIL")
REACH: Final = """
import json, socket, sys
def reach(host, port, request=b""):
    try:
        with socket.create_connection((host, port), 3) as line:
            line.sendall(request)
            return line.recv(64).decode() if request else "reached"
    except OSError as error:
        return type(error).__name__
print(json.dumps([reach(*one) for one in eval(sys.argv[1])]))
"""


class Site:
    """The containers, from a copy of the compose file's folder with secrets of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def compose(self, *arguments: str, given: str | None = None) -> str:
        """What ``docker compose`` prints; fails the test where it fails."""
        done = _docker("compose", "-p", NAME, *arguments, cwd=self.folder, input=given)
        assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-3000:]
        return done.stdout

    def run(self, service: str, *command: str) -> str:
        """What a command prints that is run in a container which is there already."""
        return self.compose("exec", "-T", service, *command)

    def manage(self, *arguments: str) -> str:
        """What ``manage.py`` prints in a worker's container."""
        return self.run("worker-privacy", "python", "manage.py", *arguments)

    def states(self) -> dict[str, str]:
        """Each container that is to stay, and how it is: its health, or "running" where nothing looks at that."""
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        told = [json.loads(line) for line in lines]
        return {one["Name"].removeprefix(f"{NAME}-"): one["Health"] or one["State"] for one in told}

    def client(self) -> httpx.Client:
        """Asks as a browser does, by TLS, and believes the authority that Caddy made for a name of this machine."""
        port = self.compose("port", "caddy", "443").strip().rpartition(":")[2]
        authority = ssl.create_default_context(
            cadata=self.run("caddy", "cat", "/data/caddy/pki/authorities/local/root.crt")
        )
        return httpx.Client(base_url=f"https://localhost:{port}", verify=authority, timeout=90)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site") / "compose"
    shutil.copytree(compose.FILE.parent, folder, ignore=shutil.ignore_patterns("secrets", "*.env", ".env"))
    site = Site(folder)
    for image, where in ((f"modelmyimage:{NAME}", [str(ROOT)]), (f"modelmyimage-egress:{NAME}", [str(folder)])):
        file = ["-f", str(folder / "egress.Dockerfile")] if "egress" in image else []
        built = _docker("build", "--quiet", "--tag", image, *file, *where)
        assert built.returncode == 0, built.stderr[-3000:]
    # As docs/deploy.md says it.
    (folder / "secrets").mkdir()
    mounted = ["--user", str(os.getuid()), "--volume", f"{folder / 'secrets'}:/secrets", f"modelmyimage:{NAME}"]
    made = _docker("run", "--rm", *mounted, "python", "-m", "modelmyimage.make_secrets", "/secrets")
    assert made.returncode == 0, made.stderr
    told = {name: value for name, value in check.production("", keystore="").items() if name.startswith(WHOSE)}
    (folder / "site.env").write_text("".join(f"{name}={value}\n" for name, value in told.items()))
    (folder / ".env").write_text(f"SITE_HOST=localhost\nVERSION={NAME}\n")
    (folder / "docker-compose.override.yml").write_text(PORTS)
    try:
        site.compose("up", "--detach", "--no-build")
        yield site
    finally:
        _docker("compose", "-p", NAME, "down", "--volumes", "--timeout", "40", cwd=folder)
        _docker("rmi", f"modelmyimage:{NAME}", f"modelmyimage-egress:{NAME}")


def until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)


def test_every_container_comes_up_well_and_the_site_passes_its_own_check(site: Site) -> None:
    def well() -> bool:
        states = site.states()
        return not {"starting", "unhealthy", "restarting"} & set(states.values())

    until(well, 180)
    states = site.states()
    once = {f"{name}-1" for name, service in SERVICES.items() if service.once}
    assert {name for name, state in states.items() if state == "exited"} == once
    assert len(states) == sum(service.replicas for service in SERVICES.values())
    site.run("web", "python", "manage.py", "check", "--deploy")
    assert "Warning" not in site.compose("logs", *OURS)


def test_a_model_is_made_behind_caddy_and_is_gone(site: Site) -> None:
    secret = site.manage("shell", "-c", KEY).split("KEY ")[1].strip()
    with site.client() as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        made = client.post(
            "/api/v1/jobs?quality=draft", content=PHOTO.read_bytes(), headers={"Content-Type": "image/jpeg"}
        )
        assert made.status_code == 201, made.text
        job = f"/api/v1/jobs/{made.json()['id']}"
        until(lambda: client.get(f"{job}?wait=30").json()["stage"] == "deliver", 240)
        asset = client.get(f"{job}/asset")
        assert asset.status_code == 200
        assert trimesh.load_scene(io.BytesIO(asset.content), file_type="glb").geometry
        assert client.delete(f"{job}/asset").status_code in (200, 202, 204)
        until(lambda: client.get(job).json()["stage"] == "over", 60)
    assert site.manage("shell", "-c", LEFT).split("LEFT ")[1].split() == ["0", "0"]
    assert site.run("s3", "find", "/data/site", "-type", "f") == ""
    for audit in ("audit_retention", "verify_ledger", "verify_log"):
        site.manage(audit)


def test_what_is_for_the_machines_inside_is_not_there_outside_and_no_server_is_named(site: Site) -> None:
    with site.client() as client:
        assert {client.get(path).status_code for path in ("/livez", "/readyz", "/metrics", "/metrics/all")} == {404}
        first = client.get("/")
        assert first.status_code == 200
        assert not {"server", "via"} & first.headers.keys()
        assert first.headers["alt-svc"].startswith("h3=")
        assert "Strict-Transport-Security" in first.headers


def test_every_page_that_links_lead_to_is_there(site: Site) -> None:
    seen, waiting = dict[str, int](), ["/", "/manifest.webmanifest", "/api/v1/openapi.json"]
    with site.client() as client:
        while waiting:
            path = waiting.pop()
            answer = client.get(path)
            seen[path] = answer.status_code
            page = answer.text if "html" in answer.headers["Content-Type"] else ""
            found = {answer.headers.get("Location", "/").partition("?")[0], *LINK.findall(page)}
            waiting += found - seen.keys() - set(waiting)
    assert len(seen) > 100
    assert {path: status for path, status in seen.items() if status not in (200, 302)} == {}


@pytest.mark.parametrize("service", OURS)
def test_a_container_of_ours_is_nobody_writes_nothing_and_has_no_tool(site: Site, service: str) -> None:
    told = site.run(service, "sh", "-c", "id -un; id -gn; cat /proc/1/status; touch /app/x /usr/x 2>&1; "
                    "command -v pip gcc make npm uv; true")  # fmt: skip
    user, group, *status = told.splitlines()
    assert (user, group) == ("site", "site")
    said = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    assert {said[name].strip("0") for name in ("CapPrm", "CapEff", "CapBnd")} == {""}
    assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
    assert status[-2:] == [f"touch: cannot touch '{path}': Read-only file system" for path in ("/app/x", "/usr/x")]


@pytest.mark.parametrize("service", OURS)
def test_nobody_gets_out_but_by_a_proxy_and_there_only_where_it_leads(site: Site, service: str) -> None:
    proxies = {"worker-engine": None, "beat": None, "worker-webhooks": "egress-webhooks"}
    request = b"CONNECT %s:443 HTTP/1.1\r\n\r\n"
    asked = [("egress", 3128, request % b"api.elsewhere.example"), ("egress-webhooks", 3128, request % b"10.0.0.1")]
    answers = json.loads(site.run(service, "python", "-c", REACH, repr(asked)))
    way = proxies.get(service, "egress")
    assert [proxy for (proxy, *_), answer in zip(asked, answers, strict=True) if "403 Forbidden" in answer] == (
        [way] if way else []
    )
    # Past them there is nothing; of the proxies' own addresses only the one on the network they share, asked just now.
    addresses = [one for proxy, *_ in asked for one in site.run(proxy, "hostname", "-i").split()]
    past = [("1.1.1.1", 443), *((address, 3128) for address in addresses)]
    reached = json.loads(site.run(service, "python", "-c", REACH, repr(past)))
    assert reached[0] != "reached"
    assert reached.count("reached") == bool(way)


def test_what_is_killed_comes_back_and_the_key_store_has_nothing_to_come_back_with(site: Site) -> None:
    password = "valkey-cli --no-auth-warning -a $(cut -d'>' -f2 /run/secrets/keystore_conf | cut -d' ' -f1)"
    assert site.run("keystore", "sh", "-c", f"{password} set probe 1").strip() == "OK"
    assert "NOPERM" in site.run("keystore", "sh", "-c", f"{password} config set save '1 1'")
    # From within, since what is ended by Docker's own command is not started again.
    site.run("web", "sh", "-c", "kill -KILL $(cat /proc/1/task/1/children)")
    site.compose("restart", "--timeout", "0", "keystore")
    until(lambda: {site.states()[name] for name in ("keystore-1", "web-1")} == {"healthy"}, 120)
    assert site.run("keystore", "sh", "-c", f"{password} exists probe").strip() == "0"
    with site.client() as client:
        assert client.get("/").status_code == 200


def test_a_release_is_not_noticed(site: Site) -> None:
    before = site.compose("ps", "--quiet").split()
    with (site.folder / "site.env").open("a") as settings:
        settings.write("NOTICE_DAYS=31\n")
    command = [str(site.folder / "release.sh"), "--no-build"]
    statuses = list[int]()
    with site.client() as client, (site.folder / "release.log").open("w") as log:
        release = subprocess.Popen(command, env={**os.environ, "COMPOSE_PROJECT_NAME": NAME}, stdout=log, stderr=log)
        while release.poll() is None:
            statuses.append(client.get("/privacy").status_code)
            time.sleep(0.05)
    assert release.returncode == 0, (site.folder / "release.log").read_text()
    assert (len(statuses) > 50, set(statuses)) == (True, {200})
    assert len(site.compose("ps", "--quiet", "web").split()) == SERVICES["web"].replicas
    ours = [one for name in OURS for one in site.compose("ps", "--quiet", name).split()]
    assert not set(ours) & set(before)
    assert site.run("web", "printenv", "NOTICE_DAYS").strip() == "31"
