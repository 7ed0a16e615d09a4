"""Our own engine as a provider: it does what a job asks for, and says why when it refuses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from generation import engine, failures
from generation.options import NAMES, JobOptions
from generation.provider import Brief, Declined, Delivered
from generation.providers.embedded import Embedded

PHOTO = b"the cut-out"


def submit(options: JobOptions, quality: str = "standard") -> Any:
    """Send a cut-out to the engine; nobody listens to its progress."""
    with httpx.Client() as http:
        brief = Brief(images={"front": PHOTO}, options=options, quality=quality, key="k")
        return Embedded(http, {}).submit(brief)


@pytest.mark.parametrize(
    ("asked", "quality", "expected"),
    [
        pytest.param({}, "standard", engine.Options(), id="nothing"),
        pytest.param({}, "draft", engine.Options(quality="draft"), id="draft"),
        pytest.param({}, "high", engine.Options(quality="high"), id="high"),
        pytest.param({"back": "mirrored"}, "standard", engine.Options(back="mirrored"), id="back"),
        pytest.param({"flatten_light": True}, "standard", engine.Options(flatten_light=True), id="flatten_light"),
        pytest.param({"normal_map": True}, "standard", engine.Options(normal_map=True), id="normal_map"),
        pytest.param(
            {"print_size_mm": 85}, "standard", engine.Options(printing=engine.Print(size=85)), id="print_size_mm"
        ),
        pytest.param({"texture": False}, "standard", engine.Options(texture=False), id="texture"),
        pytest.param({"target_triangles": 900}, "standard", engine.Options(triangles=900), id="target_triangles"),
        # Already done when the cut-out was made.
        pytest.param({"keep_all": True}, "standard", engine.Options(), id="keep_all"),
        pytest.param(
            {"back": "mirrored", "flatten_light": True, "normal_map": True, "print_size_mm": 200},
            "high",
            engine.Options(
                quality="high",
                back="mirrored",
                flatten_light=True,
                normal_map=True,
                printing=engine.Print(size=200),
            ),
            id="all",
        ),
    ],
)
def test_each_option_of_a_job_reaches_the_engine(
    asked: dict[str, Any], quality: str, expected: engine.Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[bytes, engine.Options]] = []

    def reconstruct(picture: bytes, *, back_png: bytes | None, options: engine.Options, progress: object) -> bytes:
        heard.append((picture, options))
        return b"the model"

    monkeypatch.setattr(engine, "reconstruct", reconstruct)
    answer = submit(JobOptions(**asked), quality)
    assert heard == [(PHOTO, expected)]
    assert isinstance(answer, Delivered)
    assert list(answer.chunks) == [b"the model"]


def test_it_offers_all_there_is_to_choose() -> None:
    assert Embedded.card.options == frozenset(NAMES) - {"keep_all", "format"}
    assert set(Embedded.card.credits) == set(engine.QUALITIES)


def test_a_refusal_keeps_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def reconstruct(*_: object, **__: object) -> bytes:
        raise engine.NoSubject("Nothing there.")

    monkeypatch.setattr(engine, "reconstruct", reconstruct)
    with pytest.raises(Declined) as declined:
        submit(JobOptions())
    assert declined.value.code == engine.NoSubject.code


@pytest.mark.django_db
def test_a_photo_of_the_back_becomes_the_back(job_for, run, settings, monkeypatch) -> None:
    settings.PROVIDERS = ["embedded"]
    seen: list[bytes | None] = []
    reconstruct = engine.reconstruct

    def watched(picture: bytes, **others: Any) -> bytes:
        seen.append(others["back_png"])
        return reconstruct(picture, **others)

    monkeypatch.setattr(engine, "reconstruct", watched)
    assert run(job_for("embedded", views=("front", "back"))).outcome == "done"
    assert run(job_for("embedded")).outcome == "done"
    assert [back is not None for back in seen] == [True, False]


def test_a_back_of_another_object_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    def reconstruct(*_: object, **__: object) -> bytes:
        raise engine.BackDoesNotMatch("Another outline.")

    monkeypatch.setattr(engine, "reconstruct", reconstruct)
    with pytest.raises(Declined) as declined:
        submit(JobOptions())
    assert "front alone" in failures.failure(declined.value.code)
