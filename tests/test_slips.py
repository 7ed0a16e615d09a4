"""What a slip of paper prints: only what the receipt says, and nothing that its content could break."""

from __future__ import annotations

from typing import Any

import pytest
from django.template.loader import render_to_string

from modelmyimage.templatetags import slips

GONE = "2026-11-23T14:01:58+00:00"


def blob(kind: str, **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "destroyed_at": GONE, "observed": {"key": "absent", "object": "absent"}, **changes}


def document(*destroyed: dict[str, Any], elsewhere: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "receipt": {
            "format": "modelmyimage-receipt/1",
            "id": "6f445f55-0000-4000-8000-000000000000",
            "job": "89cf7ee5-0000-4000-8000-000000000000",
            "issued_at": GONE,
            "outcome": "done",
            "destroyed": list(destroyed),
            "elsewhere": elsewhere or [],
        },
        "signature": {"algorithm": "Ed25519", "key_id": "k1", "value": "AA=="},
    }


def paper(receipt: dict[str, Any]) -> str:
    return render_to_string("slips/receipt.html", slips.receipt_slip(receipt))


def test_confirmed_destruction_is_stamped() -> None:
    shown = paper(document(blob("upload"), blob("source"), blob("source"), blob("asset")))
    assert "Destroyed" in shown
    assert "work copies, 2" in shown
    assert "keys, 4" in shown
    assert "Partly unknown" not in shown


@pytest.mark.parametrize(
    "damaged",
    [
        document(blob("upload", destroyed_at="")),
        document(blob("upload", observed={"key": "unknown", "object": "absent"})),
        document(blob("upload"), elsewhere=[{"provider": "far", "result": "unknown"}]),
        document(blob("upload"), elsewhere=[{"provider": "far", "result": "unsupported"}]),
        document(blob("upload"), elsewhere=[{"provider": "far", "result": "expires", "until": GONE}]),
        document(blob("upload"), elsewhere=[{"provider": "far", "result": "expires", "until": "soon"}]),
        document(blob("upload"), elsewhere=[{"provider": "far", "result": "swept"}]),
        document(blob("upload"), elsewhere=[{"provider": "far", "result": "of another version"}]),
    ],
)
def test_nothing_unconfirmed_is_stamped_destroyed(damaged: dict[str, Any]) -> None:
    shown = paper(damaged)
    assert "Partly unknown" in shown
    assert '<span class="verb">Destroyed</span>' not in shown


@pytest.mark.parametrize(
    ("line", "word", "why"),
    [
        ({"result": "swept"}, "to be swept", "no way to delete; the operator’s sweeper removes it"),
        ({"result": "unsupported"}, "kept", "it offers no way to delete"),
        ({"result": "unknown"}, "unknown", "nobody could confirm"),
        ({"result": "expires", "until": GONE}, "until", "it goes by itself then"),
    ],
)
def test_a_copy_elsewhere_is_explained(line: dict[str, Any], word: str, why: str) -> None:
    shown = paper(document(blob("upload"), elsewhere=[{"provider": "far", **line}]))
    assert "<dt>copy at far</dt>" in shown
    assert f"<dd>{word}" in shown
    assert why in shown
    if "until" in line:
        assert f'datetime="{GONE}" data-as="dated">2026-11-23 14:01<' in shown


def test_calls_at_one_provider_are_told_apart() -> None:
    calls = [{"provider": "far", "result": "erased", "at": GONE}, {"provider": "far", "result": "erased", "at": GONE}]
    shown = paper(document(blob("upload"), elsewhere=calls))
    assert "<dt>copy at far</dt>" in shown
    assert "<dt>copy at far, call 2</dt>" in shown
    assert "Partly unknown" not in shown


def test_empty_receipt_has_no_stamp() -> None:
    assert "stamp-row" not in paper(document())


def test_content_of_a_stranger_is_text() -> None:
    hostile = document(
        blob("<script>"), blob("asset", destroyed_at=17, observed=["x"]), elsewhere=[{"provider": ["x"]}]
    )
    hostile["receipt"]["id"] = '"><img src=x>'
    hostile["receipt"]["issued_at"] = "yesterday"
    shown = paper(hostile)
    assert "<script>" not in shown
    assert "<img" not in shown


def test_phase_of_a_job() -> None:
    running = {
        "final": False,
        "asset": None,
        "outcome": "",
        "stage": "watch",
        "queue_position": None,
        "can_cancel": True,
    }
    assert slips.phase(running) == "running"
    assert slips.phase({**running, "queue_position": 1}) == "running"
    assert slips.phase({**running, "queue_position": 3}) == "waiting"
    assert slips.phase({**running, "waiting": {"code": "providers_down", "message": "Later."}}) == "waiting"
    assert slips.phase({**running, "waiting": None}) == "running"
    assert slips.phase({**running, "stage": "deliver", "asset": {"url": "/"}}) == "ready"
    assert slips.phase({**running, "stage": "deliver"}) == "ending"
    assert slips.phase({**running, "can_cancel": False}) == "ending"
    assert slips.phase({**running, "final": True, "outcome": "expired"}) == "expired"
