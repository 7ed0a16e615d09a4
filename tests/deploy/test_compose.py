"""The compose file: Docker's own program takes it, it holds no secret, and nobody gets out unseen."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelmyimage import make_secrets
from privacy.retention import RETENTION
from scripts.stack import compose
from scripts.stack.native import NOT_HERE
from tests.environment import PACKAGES, ROOT
from tests.test_configuration import documented

HOST = {"SITE_HOST": "models.example"}
FOLDER = compose.FILE.parent
SERVICES = compose.read(HOST)
OURS = {name: service for name, service in SERVICES.items() if service.image == "modelmyimage"}
# boto3's own.
OF_LIBRARIES = {"AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE"}
SECRET = re.compile(r"KEY|SECRET|PASSWORD|_URL$")
OPEN = {"SITE_URL", "STORE_URL", "S3_ENDPOINT_URL"}
"""Addresses in which there is no password."""


def program(name: str) -> str:
    """A program that a package of the development set brings."""
    found = Path(sys.executable).with_name(name)
    if not found.exists():
        pytest.skip(f"{name} is not made for this system")
    return str(found)


@pytest.fixture(scope="module")
def resolved() -> dict[str, Any]:
    """The file as Docker's own program understands it."""
    command = [program("docker-compose"), "-f", str(compose.FILE), "config", "--format", "json"]
    done = subprocess.run(command, env={**HOST, "PATH": os.defpath}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_folder_of_the_s3_server_is_ever_empty() -> None:
    place = OURS["web"].environment["STORE_URL"].replace("s3://", "/data/")
    wanted = {f"{place}/{period.lifetime}/stays" for period in RETENTION.values()}
    assert set(re.findall(r"/data/site/\S+", " ".join(SERVICES["s3"].command))) == wanted


def test_docker_compose_and_make_stack_read_the_same(resolved: dict[str, Any]) -> None:
    assert resolved["services"].keys() == SERVICES.keys()
    for name, said in resolved["services"].items():
        ours = SERVICES[name]
        command = [*(said.get("entrypoint") or []), *(said.get("command") or [])]
        # What is left to the container's shell is shown with its sign doubled.
        assert [word.replace("$$", "$") for word in command] == list(ours.command), name
        assert said.get("environment", {}) == ours.environment, name
        assert set(said.get("depends_on", {})) == set(ours.after), name
        assert said.get("deploy", {}).get("replicas", 1) == ours.replicas, name
        assert set(said.get("networks", {})) == ours.networks, name


def test_without_the_name_of_the_site_nothing_starts() -> None:
    with pytest.raises(compose.ComposeError, match="SITE_HOST is not set: the name"):
        compose.read({})


def test_what_make_stack_leaves_out_is_there_and_nothing_waits_for_it() -> None:
    assert NOT_HERE.keys() < SERVICES.keys()
    for name, service in SERVICES.items():
        assert name in NOT_HERE or not set(service.after) & NOT_HERE.keys()


def test_every_variable_is_one_that_the_code_reads() -> None:
    assert OURS
    for name, service in OURS.items():
        for variable in service.environment.keys() - OF_LIBRARIES:
            assert variable.removesuffix("_FILE") in documented(), (name, variable)


def test_all_processes_of_ours_have_one_environment_but_for_the_way_out() -> None:
    told = {
        name: {variable: value for variable, value in service.environment.items() if variable != "EGRESS_PROXY"}
        for name, service in OURS.items()
    }
    assert all(one == told["web"] for one in told.values())


def test_no_secret_is_in_the_file() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.environment.items():
            if SECRET.search(variable.removesuffix("_FILE")) and variable not in OPEN:
                assert variable.endswith("_FILE"), (name, variable)
                assert value.startswith("/run/secrets/"), (name, variable)
    text = compose.FILE.read_text()
    assert not re.search(r"://[^/\s]+@", text)
    assert "requirepass" not in text
    assert "user default" not in text


def test_each_secret_is_one_that_is_made(resolved: dict[str, Any], tmp_path: Path) -> None:
    made = set(make_secrets.make(tmp_path))
    assert made == {Path(said["file"]).name for said in resolved["secrets"].values()} == set(resolved["secrets"])
    for name, said in resolved["services"].items():
        given = {secret["source"] for secret in said.get("secrets", [])}
        scripts = [
            (FOLDER / mount["source"]).read_text()
            for mount in said.get("volumes", [])
            if mount["source"].endswith(".sh")
        ]
        said_there = json.dumps([said.get("command"), said.get("environment"), scripts])
        read = set(re.findall(r"/run/secrets/(\w+)", said_there))
        assert read == given, name
    for server in ("broker", "keystore"):
        said, address = (tmp_path / f"{server}_conf").read_text().split(), (tmp_path / f"{server}_url").read_text()
        assert said[4:] == ["~*", "&*", "+@all", "-@dangerous", "+info", "+config|get"], "no more than is needed"
        assert said[3].removeprefix(">") in address
    assert make_secrets.make(tmp_path) == []  # a second time changes nothing
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700  # though it was there before
    open_to_edit = {path.name for path in tmp_path.iterdir() if path.is_file() and path.stat().st_mode & stat.S_IWUSR}
    assert open_to_edit == set(make_secrets.TO_BE_FILLED_IN)
    (tmp_path / "database_url").unlink()
    with pytest.raises(FileExistsError, match="postgres_password without database_url"):
        make_secrets.make(tmp_path)


def test_nobody_but_the_gates_gets_out(resolved: dict[str, Any]) -> None:
    outside = {name for name, network in resolved["networks"].items() if not network.get("internal")}
    assert outside == {"outside"}
    reaching = {name for name, said in resolved["services"].items() if outside & set(said.get("networks", {}))}
    assert reaching == {"caddy", "egress", "egress-webhooks"}
    assert {name for name, said in resolved["services"].items() if said.get("ports")} == {"caddy"}
    # Whoever holds photos has no way to machines of customers' choice, and the engine none at all.
    near = {net: {name for name, s in SERVICES.items() if net in s.networks} for net in resolved["networks"]}
    assert near["out-webhooks"] == {"worker-webhooks", "egress-webhooks"}
    assert near["edge"] == {"caddy", "web"}
    assert SERVICES["worker-engine"].networks == {"data"}
    for name, service in OURS.items():
        proxy = service.environment["EGRESS_PROXY"].split("/")[2].split(":")[0]
        ways = service.networks - {"data", "edge"}
        assert not ways or proxy in {other for way in ways for other in near[way]}, name


def test_every_container_is_confined(resolved: dict[str, Any]) -> None:
    for name, said in resolved["services"].items():
        assert said["read_only"], name
        assert said["cap_drop"] == ["ALL"], name
        assert said["security_opt"] == ["no-new-privileges:true"], name
        assert not said.get("privileged"), name
    assert {said["user"] for name, said in resolved["services"].items() if name in OURS} == {"10001:10001", "0:0"}


def test_the_key_store_is_on_no_disk_and_is_nobody_elses(resolved: dict[str, Any]) -> None:
    keystore = resolved["services"]["keystore"]
    assert "volumes" not in keystore
    assert shlex.join(keystore["command"]).startswith("valkey-server /run/secrets/keystore_conf")
    words = keystore["command"]
    assert words[words.index("--appendonly") + 1] == "no"
    assert words[words.index("--save") + 1] == ""
    assert SERVICES["broker"].command[SERVICES["broker"].command.index("--appendonly") + 1] == "yes"


def queues_of(service: compose.Service) -> set[str]:
    """The queues that a worker takes messages from."""
    words = list(service.command)
    return set(words[words.index("-Q") + 1].split(",")) if "-Q" in words else set()


def test_each_queue_has_a_worker_and_destruction_one_of_its_own(settings: Any) -> None:
    from generation import registry

    served = [queues_of(service) for service in OURS.values()]
    queues = {kind.card.queue for kind in registry.ours().values()} | {"webhooks", settings.CELERY_TASK_DEFAULT_QUEUE}
    queues |= {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
    assert set().union(*served) == queues
    assert {"privacy"} in served


def test_the_image_holds_what_runs_and_no_stand_in() -> None:
    text = (ROOT / "Dockerfile").read_text()
    last = text.split("\nFROM ")[-1]
    copied = {words[-1] for line in re.findall(r"^COPY (.*)$", last, re.MULTILINE) for words in [line.split()]}
    for package in PACKAGES:
        assert (package in copied) == (package != "sandbox"), package
    ignored = (ROOT / ".dockerignore").read_text()
    assert {line[1:].split("/")[0] for line in ignored.splitlines() if line.startswith("!")} >= copied - {
        ".venv", "staticfiles", "sbom", "./", "client/README.md", "verifier/verify.py"}  # fmt: skip
    for folder in (".git", "tests", "sandbox", "var", "deploy"):
        assert f"!{folder}" not in ignored
    # What code reads beside its own package is there as well.
    beside = re.compile(r"""(?:BASE_DIR|ROOT|\.parent\.parent|parents\[\d\]) / "([^"]+)"(?: / "([^"]+)")?""")
    read = {
        "/".join(filter(None, found))
        for package in set(PACKAGES) - {"sandbox"}
        for file in (ROOT / package).rglob("*.py")
        if ROOT / "modelmyimage" / "local" not in file.parents
        for found in beside.findall(file.read_text())
    }
    assert "templates" in read
    assert {one for one in read - {"var"} if not {one, one.split("/")[0]} & copied} == set()


@pytest.mark.parametrize("file", ["Dockerfile", "deploy/compose/egress.Dockerfile"])
def test_dockerfiles_have_no_warning(file: str) -> None:
    done = subprocess.run([program("hadolint"), str(ROOT / file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_ones_own_to_choose_is_what_nothing_else_sets() -> None:
    offered = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", (FOLDER / "site.env.example").read_text(), flags=re.MULTILINE))
    assert {name.removesuffix("_FILE") for name in offered} < documented()
    assert not offered & SERVICES["web"].environment.keys()


def test_what_is_mounted_beside_the_file_is_there() -> None:
    for service in yaml.safe_load(compose.FILE.read_text())["services"].values():
        for mount in service.get("volumes") or []:
            if mount.startswith("./") and not mount.startswith("./secrets"):
                assert (FOLDER / mount.split(":")[0]).is_file(), mount


def test_the_door_takes_no_old_version_of_tls_and_no_weak_suite() -> None:
    told = (FOLDER / "Caddyfile").read_text()
    assert re.search(r"^\t\tprotocols tls1\.2 tls1\.3$", told, re.MULTILINE)
    found = re.search(r"^\t\tciphers (.*)$", told, re.MULTILINE)
    assert found
    suite = re.compile(r"TLS_ECDHE_(ECDSA|RSA)_WITH_(AES_(128|256)_GCM_SHA(256|384)|CHACHA20_POLY1305_SHA256)")
    assert all(map(suite.fullmatch, found[1].split()))
    assert "http://" not in told
    assert "auto_https" not in told


def test_what_is_reached_without_tls_is_on_the_network_that_leaves_no_machine(resolved: dict[str, Any]) -> None:
    private = SERVICES["web"].environment["PRIVATE_HOSTS"].split(",")
    assert private == ["postgres", "broker", "keystore"]
    for name in private:
        assert SERVICES[name].networks == {"data"}, name
    assert resolved["networks"]["data"]["internal"] is True
    assert not resolved["networks"]["data"].get("driver")  # a bridge: an overlay would cross machines


def test_logs_can_leave_by_tls_and_are_said_to(resolved: dict[str, Any]) -> None:
    command = [program("docker-compose"), "-f", str(compose.FILE), "-f", str(FOLDER / "logs.yml"), "config"]
    environment = {**HOST, "LOGS_HOST": "logs.example", "PATH": os.defpath}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    away = yaml.safe_load(done.stdout)["services"]
    assert away.keys() == resolved["services"].keys()
    for name, said in away.items():
        assert said["logging"]["driver"] == "syslog", name
        assert said["logging"]["options"]["syslog-address"] == "tcp+tls://logs.example:6514", name
        assert "max-size" not in said["logging"]["options"], name
        told = said.get("environment", {})
        assert told.get("LOGS_TO") == ("logs.example" if name in OURS else None), name
        assert {key: value for key, value in told.items() if key != "LOGS_TO"} == (
            resolved["services"][name].get("environment", {})
        ), name
