"""The record of processing says what the map says, all of it, in both forms."""

from __future__ import annotations

import json
from io import StringIO

from django.core.management import call_command

from privacy import datamap
from privacy.datamap import Basis
from privacy.retention import PERIODS


def printed(*options: str) -> str:
    out = StringIO()
    call_command("processing_record", *options, stdout=out)
    return out.getvalue()


def test_json_has_every_personal_table_field_and_period() -> None:
    found = json.loads(printed("--json"))
    kinds = {kind["table"]: kind for activity in found["activities"] for kind in activity["data"]}
    personal = [one for one in datamap.held() if one.is_table and one.basis is not Basis.NONE]
    assert set(kinds) - {None} == {one.model for one in personal}
    for one in personal:
        said = [name for field in kinds[one.model]["fields"] for name in field["names"]]
        assert said == [name for item in one.items for name in item.fields]
        assert all(kinds[one.model][name] for name in ("purpose", "basis", "how_long", "at_erasure"))
    assert [period["name"] for period in found["periods"]] == list(PERIODS)
    assert kinds["billing.Payment"]["duty"]


def test_markdown_says_the_same() -> None:
    text = printed()
    for one in datamap.held():
        if one.basis is not Basis.NONE:
            assert str(one.title) in text
            assert str(one.why) in text
    for name, period in PERIODS.items():
        assert f"| {name} | {period.covers} | {period.words} |" in text
    assert "`accounts.tasks.forget`" in text
    assert "To be added by whoever runs the site" in text


def test_it_names_who_receives_photos(settings) -> None:
    settings.PROVIDER_ENVIRONMENT = {"MESHY_API_KEY": "test-key", "MESHY_URL": "http://127.0.0.1:9"}
    settings.PROVIDERS = ["meshy"]
    source = [
        field
        for activity in json.loads(printed("--json"))["activities"]
        for kind in activity["data"]
        for field in kind["fields"]
        if "source" in field["names"]
    ]
    assert source[0]["recipients"][0]["name"].startswith("the provider")
    assert "Meshy" in source[0]["recipients"][0]["each"][0]
    assert "(Meshy" in printed()
