"""The dashboard, the alerts and the guide name what the site really tells, in expressions that Prometheus can read."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from billing import books
from modelmyimage import state_metrics
from observe import meters
from privacy import heads
from tests.environment import ROOT
from tests.generation.khronos import node
from trust import figures

FOLDER = ROOT / "deploy/observe"
GUIDE = (ROOT / "docs/observe.md").read_text()
ADDED = {"le", "instance"}
"""Labels that Prometheus, or a histogram, adds."""


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    assert len({group["name"] for group in groups}) == len(groups)
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> Iterator[str]:
    """The expression of each line of each panel."""
    board = json.loads((FOLDER / "dashboard.json").read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        lines = panel.get("targets", [])
        assert lines or panel["type"] == "row", panel["title"]
        assert len({line["refId"] for line in lines}) == len(lines)
        yield from (line["expr"].replace("$__rate_interval", "5m") for line in lines)


def read(expressions: list[str]) -> list[dict[str, Any]]:
    """What each expression asks for, as Prometheus's own grammar reads it."""
    program = ROOT / "tests/observe/promql.mjs"
    done = subprocess.run(
        [node(), str(program)], input=json.dumps(expressions), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def slug(heading: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.django_db(transaction=True)
def test_every_expression_asks_for_what_there_is(counting: Callable[[], str]) -> None:
    books.verify_now()
    figures.audit_now()
    heads.publish(now=timezone.now())
    families = {family.name: family for family in text_string_to_metric_families(counting())}
    told = {name: {*family._labelnames} for family in state_metrics.State().collect() for name in [family.name]}
    for meter in meters.METERS:
        endings = ("_bucket", "_count", "_sum") if meter.buckets else ("",)
        told |= {meter.name + ending: {*meter.labels} for ending in endings}
    ours = {name for name in families if name.startswith("modelmyimage_")}
    assert {re.sub("_(bucket|count|sum|total)$", "", name) for name in told} == ours

    expressions = [rule["expr"] for rule in rules()] + list(dashboard())
    assert len(expressions) > 40
    for expression, asks in zip(expressions, read(expressions), strict=True):
        assert asks["errors"] == 0, expression
        assert asks["metrics"], expression
        labels = set(ADDED)
        for metric in asks["metrics"]:
            assert metric in told or metric in families, expression
            labels |= told.get(metric, set())
        assert {*asks["labels"]} <= labels, expression
    # The reader does see what is wrong.
    assert [found["errors"] > 0 for found in read(["max(a) by (b", "rate(a[5m])"])] == [True, False]

    for name in ours:
        assert f"`{name.removeprefix('modelmyimage_')}" in GUIDE, f"{name} is not in docs/observe.md"


def test_every_alert_says_what_to_do() -> None:
    headings = {slug(line.lstrip("# ")) for line in GUIDE.splitlines() if line.startswith("#")}
    found = rules()
    assert len({rule["alert"] for rule in found}) == len(found)
    for rule in found:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        file, _, anchor = rule["annotations"]["guide"].partition("#")
        assert file == "docs/observe.md"
        assert anchor in headings, rule["alert"]
        assert f"`{rule['alert']}`" in GUIDE
    named = set(re.findall(r"^\*\*`(\w+)`", GUIDE, flags=re.MULTILINE))
    assert named <= {rule["alert"] for rule in found}
