"""The manifests: Kubernetes' own schemas take them, they agree with the compose file, and scale by real queues."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml
from django.conf import settings
from kombu.transport.redis import Channel

from generation import pipeline
from tests.deploy.test_compose import OF_LIBRARIES, OURS, queues_of
from tests.environment import ROOT
from tests.test_configuration import documented

FOLDER = ROOT / "deploy" / "kubernetes"
OF_KEDA = {"ScaledObject", "TriggerAuthentication"}
OWN_TO_COMPOSE = {"AWS_CA_BUNDLE"}
"""Its S3 server has a certificate of its own."""
OF_A_SITE = {"STORE_URL", "S3_ENDPOINT_URL", "FORWARDED_ALLOW_IPS", "PRIVATE_HOSTS"}


def documents() -> Iterator[dict[str, Any]]:
    """Every object of the base."""
    for name in yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"]:
        yield from yaml.safe_load_all((FOLDER / name).read_text())


ALL = list(documents())
BY_NAME = {(one["kind"], one["metadata"]["name"]): one for one in ALL}
PODS = {name: one["spec"]["template"] for (_, name), one in BY_NAME.items() if "template" in one.get("spec", {})}


def test_the_base_has_every_file_and_no_object_twice() -> None:
    listed = set(yaml.safe_load((FOLDER / "kustomization.yaml").read_text())["resources"])
    assert listed == {file.name for file in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    assert len(BY_NAME) == len(ALL)


@pytest.mark.parametrize(
    "one", [one for one in ALL if one["kind"] not in OF_KEDA], ids=lambda one: one["metadata"]["name"]
)
def test_kubernetes_own_schemas_take_it(one: dict[str, Any]) -> None:
    kubernetes_validate.validate(one, "1.34", strict=True)


def test_the_processes_are_those_of_the_compose_file() -> None:
    containers = {name: pod["spec"]["containers"][0] for name, pod in PODS.items()}
    for name, service in OURS.items():
        if name == "egress-list":
            (container,) = PODS["egress"]["spec"]["initContainers"]
        else:
            container = containers[name]
        assert tuple(container["command"]) == service.command, name
        assert container["image"] == service.image
    ours = {name for name, container in containers.items() if container["image"] == "modelmyimage"}
    assert ours == OURS.keys() - {"egress-list"}


def test_their_environment_is_that_of_the_compose_file() -> None:
    data = BY_NAME["ConfigMap", "site"]["data"]
    said = OURS["web"].environment
    assert data.keys() == said.keys() - OWN_TO_COMPOSE
    assert {name.removesuffix("_FILE") for name in data.keys() - OF_LIBRARIES} <= documented()
    assert {name: value for name, value in data.items() if said[name] != value}.keys() == OF_A_SITE
    for pod in PODS.values():
        for container in [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]:
            if container["image"] == "modelmyimage":
                assert container["envFrom"] == [{"configMapRef": {"name": "site"}}]
                own = {entry["name"]: entry["value"] for entry in container.get("env", [])}
                # What looks whether the database is up to date is a container of Kubernetes' alone.
                service = OURS.get(container["name"], OURS["web"])
                assert own == {key: value for key, value in service.environment.items() if value != said[key]}


def test_every_container_is_confined() -> None:
    for name, pod in PODS.items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }  # fmt: skip
            assert container["resources"]["limits"]["memory"], name


def test_only_the_proxies_may_reach_the_world() -> None:
    assert BY_NAME["NetworkPolicy", "nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    ways = {name: pod["metadata"]["labels"]["out"] for name, pod in PODS.items()}
    assert {name for name, way in ways.items() if way == "world"} == {"egress", "egress-webhooks"}
    assert ways["worker-engine"] == "none"
    for (kind, name), one in BY_NAME.items():
        if kind == "NetworkPolicy" and "0.0.0.0/0" in str(one):
            assert name == "to-the-world"
            assert one["spec"]["podSelector"] == {"matchLabels": {"out": "world"}}


def test_the_key_store_is_on_no_disk() -> None:
    (data, _) = PODS["keystore"]["spec"]["volumes"]
    assert data == {"name": "data", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}
    words = PODS["keystore"]["spec"]["containers"][0]["command"]
    assert words[words.index("--appendonly") + 1 : words.index("--appendonly") + 4] == ["no", "--save", ""]
    assert BY_NAME["Deployment", "keystore"]["spec"]["replicas"] == 1
    assert BY_NAME["Deployment", "keystore"]["spec"]["strategy"] == {"type": "Recreate"}


def lists_of(queue: str) -> set[str]:
    """The lists in which the broker keeps a queue, as kombu names them for the priorities that we send with."""
    steps: Any = settings.CELERY_BROKER_TRANSPORT_OPTIONS["priority_steps"]
    channel = Channel.__new__(Channel)
    channel.priority_steps = steps
    assert set(steps) == {pipeline.SOON, pipeline.LATER}
    return {channel._q_for_pri(queue, step) for step in steps}


def test_each_worker_grows_with_the_very_lists_that_it_takes_from() -> None:
    workers = {name: queues_of(service) for name, service in OURS.items() if queues_of(service)}
    scaled = {name: one["spec"] for (kind, name), one in BY_NAME.items() if kind == "ScaledObject"}
    assert scaled.keys() == workers.keys()
    for name, queues in workers.items():
        spec = scaled[name]
        assert spec["scaleTargetRef"] == {"name": name}
        assert 1 <= spec["minReplicaCount"] < spec["maxReplicaCount"]
        assert {trigger["metadata"]["listName"] for trigger in spec["triggers"]} == set().union(*map(lists_of, queues))
        for trigger in spec["triggers"]:
            assert trigger["type"] == "redis"
            assert trigger["metadata"].keys() == {"address", "listName", "listLength"}
            assert trigger["metadata"]["address"] == "broker:6379"
            assert int(trigger["metadata"]["listLength"]) > 0
            assert trigger["authenticationRef"] == {"name": "broker"}
    assert BY_NAME["TriggerAuthentication", "broker"]["spec"]["secretTargetRef"][0]["parameter"] == "password"
    # KEDA would fight with a second one that says how many.
    targets = {
        one["spec"]["scaleTargetRef"]["name"] for (kind, _), one in BY_NAME.items() if kind == "HorizontalPodAutoscaler"
    }
    assert targets == {"web"}


def test_there_is_never_a_second_beat() -> None:
    spec = BY_NAME["Deployment", "beat"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_the_door_takes_no_weak_suite_and_nothing_in_clear() -> None:
    said = BY_NAME["Ingress", "web"]["metadata"]["annotations"]
    suites = said["nginx.ingress.kubernetes.io/ssl-ciphers"].split(":")
    assert len(suites) == 6
    assert all(
        suite.startswith("ECDHE-") and suite.endswith(("GCM-SHA384", "GCM-SHA256", "POLY1305")) for suite in suites
    )
    assert said["nginx.ingress.kubernetes.io/force-ssl-redirect"] == "true"
    assert BY_NAME["Ingress", "web"]["spec"]["tls"]


def test_servers_inside_are_not_called_private_before_the_operator_says_so() -> None:
    assert BY_NAME["ConfigMap", "site"]["data"]["PRIVATE_HOSTS"] == ""
