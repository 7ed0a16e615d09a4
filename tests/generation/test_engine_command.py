"""``manage.py engine``: any photo that the site takes, no database, facts that are true, and refusals in a sentence."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from django.core.management import CommandError, call_command
from PIL import Image

from generation import engine, failures
from generation.engine import explain
from tests import samples
from tests.environment import bare
from tests.generation.engine.results import loaded, require_good

MUG = samples.ROOT / "static" / "samples" / "mug.jpg"


def run(*arguments: object) -> str:
    """What the command prints."""
    printed = io.StringIO()
    call_command("engine", *map(str, arguments), stdout=printed)
    return printed.getvalue()


def alone(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command where nothing was ever set up: no keys, no database, no variable of ours."""
    return subprocess.run(
        [sys.executable, str(samples.ROOT / "manage.py"), "engine", *map(str, arguments)],
        cwd=folder,
        env={**bare(), "STATE_DIR": str(folder / "var")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_needs_nothing_but_the_photo(tmp_path: Path) -> None:
    done = alone(tmp_path, MUG, "--out", "mug.glb", "--tier", "draft", "--explain", "seen/of/it")
    assert (done.returncode, done.stderr) == (0, "")
    mesh = require_good((tmp_path / "mug.glb").read_bytes(), "draft")
    assert f"{len(mesh.faces)} triangles" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    pictures = {path.stem: Image.open(path) for path in (tmp_path / "seen/of/it").iterdir()}
    assert {"mask", "front", "back", "thickness", "sheet"} <= set(pictures)
    assert pictures["mask"].size == Image.open(MUG).size
    assert not (tmp_path / "var").exists()


def test_a_refusal_is_one_sentence_and_exit_status_1(tmp_path: Path) -> None:
    done = alone(tmp_path, "nowhere.jpg", "--out", "mug.glb")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == ["CommandError: nowhere.jpg: No such file or directory."]


def test_the_photo_is_taken_as_an_upload_would_be(tmp_path: Path) -> None:
    upright = Image.open(MUG)
    upright.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "lying.png", exif=exif)
    upright.save(tmp_path / "small.heic", quality=90)
    models = {}
    for name in ("upright.png", "lying.png", "small.heic"):
        run(tmp_path / name, "--out", tmp_path / "model.glb", "--tier", "draft")
        models[name] = (tmp_path / "model.glb").read_bytes()
    assert models["lying.png"] == models["upright.png"]
    assert require_good(models["small.heic"], "draft")


def blank(folder: Path) -> Path:
    """A photo of nothing."""
    Image.new("RGB", (300, 300), (200, 200, 200)).save(folder / "blank.jpg")
    return folder / "blank.jpg"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["{folder}", "--out", "{out}"], "Is a directory"),
        (["{text}", "--out", "{out}"], "This is not a picture"),
        (["{blank}", "--out", "{out}"], "could not find an object"),
        (["{mug}", "--out", "{folder}/no/model.glb"], "a folder that exists"),
        (["{mug}", "--out", "{folder}"], "the name of a file"),
        (["{mug}", "--out", "{out}", "--back-photo", "{text}"], "This is not a picture"),
        (["{mug}", "--out", "{out}", "--back-photo", "{blank}"], "could not find an object"),
        (["{mug}", "--out", "{out}", "--wall", "2"], "--wall goes with --print"),
        (["{mug}", "--out", "{out}", "--print", "9"], "10 to 1000"),
        (["{mug}", "--out", "{out}", "--print", "nan"], "10 to 1000"),
        (["{mug}", "--out", "{out}", "--print", "50", "--wall", "20"], "0.2 to 10"),
        (["{mug}", "--out", "{out}", "--print", "10", "--wall", "10"], "a fifth of --print, 2 mm"),
        (["{mug}", "--out", "{out}", "--print", "50", "--keep-all"], "a printer makes one piece"),
        (["{mug}", "--out", "{out}", "--back", "mirrored", "--back-photo", "{mug}"], "the photo shows that side"),
        (["{mug}", "--out", "{out}", "--explain", "{text}"], "File exists"),
    ],
)
def test_what_cannot_be_is_said(tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    places = {
        "folder": tmp_path,
        "text": tmp_path / "text.jpg",
        "blank": blank(tmp_path),
        "mug": MUG,
        "out": tmp_path / "model.glb",
    }
    with pytest.raises(CommandError, match=said):
        run(*[argument.format(**places) for argument in arguments])
    assert not (tmp_path / "model.glb").exists()


def test_every_refusal_of_the_engine_has_a_sentence() -> None:
    kinds: list[type[engine.NoSubject]] = [engine.NoSubject, *engine.NoSubject.__subclasses__()]
    assert {kind.code for kind in kinds} <= set(failures.FAILURES)
    assert len({kind.code for kind in kinds}) == len(kinds) >= 3


def test_a_photo_too_large_to_upload_is_too_large_here(tmp_path: Path, settings) -> None:
    settings.UPLOAD_LIMIT_BYTES = 1_000_000
    (tmp_path / "large.jpg").write_bytes(MUG.read_bytes() + bytes(1_000_000))
    with pytest.raises(CommandError, match="the limit is 1 MB"):
        run(tmp_path / "large.jpg", "--out", tmp_path / "model.glb")


def test_every_option_reaches_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}
    cut_out, reconstruct = engine.cut_out, engine.reconstruct

    def cutting(picture: bytes, *, keep_all: bool) -> engine.CutOut:
        asked.setdefault("keep_all", keep_all)
        return cut_out(picture, keep_all=keep_all)

    def modelling(png: bytes, **options: object) -> bytes:
        asked.update(options)
        return reconstruct(png)

    monkeypatch.setattr(engine, "cut_out", cutting)
    monkeypatch.setattr(engine, "reconstruct", modelling)
    chosen = "--tier high --pose photo --back mirrored --flatten-light --normal-map --print 80 --wall 1.2"
    run(MUG, "--out", tmp_path / "model.glb", *chosen.split())
    assert asked["keep_all"] is False
    assert asked["back_png"] is None
    assert asked["options"] == engine.Options(
        quality="high",
        pose="photo",
        back="mirrored",
        flatten_light=True,
        normal_map=True,
        printing=engine.Print(size=80, wall=1.2),
    )
    asked.clear()
    run(MUG, "--out", tmp_path / "model.glb", "--keep-all", "--back-photo", MUG)
    assert asked["keep_all"] is True
    assert str(asked["back_png"]).startswith("b'\\x89PNG")


def test_facts_of_a_piece_for_the_printer(tmp_path: Path) -> None:
    said = run(MUG, "--out", tmp_path / "model.glb", "--tier", "draft", "--print", "80")
    mesh = loaded((tmp_path / "model.glb").read_bytes())
    assert np.isclose(mesh.extents.max(), 0.08, atol=1e-6)
    assert " × ".join(f"{side * 1000:.1f}" for side in mesh.extents) + " mm" in said
    assert f"{mesh.volume * 1e6:.1f} cm³" in said


def test_the_volume_is_that_of_the_solid() -> None:
    box: Any = trimesh.creation.box((1, 2, 3)).apply_translation((4, 5, 6))
    blank_texture = np.zeros((1, 1, 3), np.uint8)
    mesh = explain.Mesh(box.vertices, box.vertex_normals, box.vertices[:, :2], box.faces, blank_texture)
    assert np.isclose(mesh.volume, 6)
