"""The schema is what the API does: schemathesis asks every endpoint, against the ASGI application, all checks on.

A long run prints its seed, and ``SEED=… LONG_RUNS=1`` makes up the same cases once more.

Kept out of it: answers of 503 and 504 are documented, and what they mean is tested elsewhere; here, all is well.
"""

from __future__ import annotations

import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis import SerializationContext
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.transport.asgi import ASGI_TRANSPORT
from schemathesis.transport.requests import multipart_serializer

from accounts import problems, throttle
from accounts.models import User
from accounts.problems import Kind
from billing import ledger
from generation import api_schema, direct, intake
from generation.api_uploads import FIELDS
from modelmyimage.api import schema
from tests.api.conftest import Asker
from tests.environment import ROOT
from tests.long import LONG

CASES, LEAST = (300, 5000) if LONG else (9, 150)
"""Made-up cases for each operation, beside those that follow from the schema; and how many there are at least."""

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_openapi_31_and_says_what_may_go_wrong() -> None:
    found = schema()
    assert found["openapi"].startswith("3.1")
    assert not re.search(r'"(ge|le|gt|lt)": ', json.dumps(found)), "a bound that is no word of JSON Schema"
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            codes = {status for status in operation["responses"] if int(status) >= 400}
            assert {400, 429, 500} <= codes, (method, path)
            assert operation["security"] == [] or {401, 403} <= codes
            assert operation["summary"]
            assert operation["description"]
            for status in codes:
                assert list(operation["responses"][status]["content"]) == ["application/problem+json"]


def kinds() -> dict[str, Kind]:
    """Every kind of problem that any module names."""
    from accounts import api as accounts_api
    from generation import api_problems

    found = [one for module in (problems, api_problems, accounts_api) for one in vars(module).values()]
    return {one.code: one for one in found if isinstance(one, Kind)}


def test_each_code_is_documented_and_raised_somewhere_in_the_tests() -> None:
    documented = set()
    for methods in schema()["paths"].values():
        for operation in methods.values():
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    parts = content["schema"].get("allOf", [{}, {}])
                    documented |= set(parts[1].get("properties", {}).get("code", {}).get("enum", []))
    assert documented | {"method_not_allowed"} == set(kinds())
    files = [*Path(__file__).parent.glob("*.py"), ROOT / "tests" / "deploy" / "test_caddy.py"]
    words = set(re.findall(r'"([a-z_]+)"', "".join(path.read_text() for path in files)))
    assert set(kinds()) - words == set(), "a code that no test of the API provokes"


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (80, 80), "orange").save(out, "PNG")
    return out.getvalue()


A_PICTURE = "a picture"
"""Stands for one in a form until that is sent."""


def draw_pictures() -> None:
    """Say what a photo may be, once for bodies that are one, once for forms.

    schemathesis judges some of the forms that it made up by a validator of JSON, which gives up at bytes. So a field of
    a form is text that stands for a picture, which the serialiser puts in its place.
    """
    schemathesis.openapi.format("binary", st.sampled_from([A_PICTURE, "no picture", "none either"]))
    for media_type in api_schema.PICTURES:
        bodies = st.sampled_from([picture(), b"no picture", b"none either"])
        schemathesis.openapi.media_type(media_type, bodies)
    ASGI_TRANSPORT.serializer("multipart/form-data")(with_pictures)


def with_pictures(context: SerializationContext, form: Any) -> dict[str, Any]:
    """How a form is sent."""
    if isinstance(form, dict):
        form = {name: picture() if value == A_PICTURE else value for name, value in form.items()}
    return multipart_serializer(context, form)


def config(secret: str, cases: int) -> SchemathesisConfig:
    return SchemathesisConfig.from_dict(
        {
            "headers": {"Authorization": f"Bearer {secret}"},
            "continue-on-failure": True,
            **({"seed": int(os.environ["SEED"])} if "SEED" in os.environ else {}),
            "generation": {"max-examples": cases, "database": "none", "deterministic": not LONG},
            "phases": {"examples": {"enabled": True}, "coverage": {"enabled": LONG}, "fuzzing": {"enabled": True},
                       "stateful": {"enabled": True}},
            # A photo that is none is by the schema as good as any: no schema can say what a picture is.
            "checks": {"positive_data_acceptance": {"expected-statuses": [
                "2xx", "401", "402", "403", "404", "409", "410", "422", "429"]}},
        }
    )  # fmt: skip


def test_a_form_that_has_to_be_judged_once_it_is_made_up() -> None:
    """As long runs come upon it: everything but a form, which is too much for schemathesis to draw without trying."""
    draw_pictures()
    form = api_schema.sending(idempotent=False)["requestBody"]["content"]["multipart/form-data"]["schema"]
    other = {**form, "not": {name: form[name] for name in form if name != "type"}}
    del other["additionalProperties"], other["required"]
    body = {"required": True, "content": {"multipart/form-data": {"schema": other}}}
    operation = {"requestBody": body, "responses": {"200": {"description": "Sent."}}}
    document = {"openapi": "3.1.0", "info": {"title": "", "version": ""}, "paths": {"/": {"post": operation}}}
    sent: list[Any] = []

    @given(case=schemathesis.openapi.from_dict(document)["/"]["POST"].as_strategy())
    @settings(database=None, derandomize=True, max_examples=40, suppress_health_check=list(HealthCheck))
    def send(case: Any) -> None:
        files = ASGI_TRANSPORT.serialize_case(case, base_url="http://testserver").get("files") or ()
        sent.extend(content for name, (_, content) in files if name in FIELDS)

    send()
    assert picture() in sent


def test_it_is_what_the_schema_says(
    ours: Asker, owner: User, worker: None, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any
) -> None:
    from modelmyimage.asgi import application

    settings.STORE_URL = f"file://{tmp_path}/blobs"
    monkeypatch.setattr(direct, "SECONDS", 60.0)
    monkeypatch.setattr(intake, "MAX_OPEN_JOBS", 1_000_000)
    for name, rate in list(throttle.RATES.items()):
        monkeypatch.setitem(throttle.RATES, name, replace(rate, calls=1_000_000))
    ledger.grant(user=owner, credits=1_000_000, key="enough", reason="test")
    draw_pictures()
    found = schemathesis.openapi.from_asgi("/api/v1/openapi.json", application, config=config(ours.secret, CASES))
    asked, failures = 0, {}
    for event in from_schema(found).execute():
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.NonFatalError):
            failures[str(event.info)] = event.label
        if isinstance(event, events.ScenarioFinished):
            asked += len(event.recorder.cases)
            for case_id, checks in event.recorder.checks.items():
                for check in checks:
                    if check.failure_info is not None:
                        case = event.recorder.cases[case_id].value
                        said = f"{check.name}: {case.method} {case.path} {case.query} {case.headers}"
                        failures.setdefault(said, str(check.failure_info.failure))
    print(f"{asked} cases, seed {found.config.seed}")
    assert asked >= LEAST
    assert not failures, "\n\n".join(f"{said}\n{why}" for said, why in list(failures.items())[:10])
