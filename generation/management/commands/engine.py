"""The embedded engine on one photo: no site, no database, no job. For people who work on it or only want a model."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from generation import engine, failures, images
from generation.engine import explain
from generation.engine.depth import Depth
from generation.engine.frame import Frame
from generation.engine.options import Back, Pose
from generation.options import PRINT_MM

WALL_MM = (0.2, 10.0)
SIZE_PER_WALL = 5


class Steps:
    """What ``engine.reconstruct`` did: seconds of each step, and the results that can be shown."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.frame: Frame | None = None
        self.depth: Depth | None = None
        self._since = time.perf_counter()

    def done(self, step: str, result: object) -> None:
        """A step has ended; see ``engine.reconstruct``."""
        now = time.perf_counter()
        self.seconds[step] = self.seconds.get(step, 0.0) + now - self._since
        self._since = now
        if isinstance(result, Frame):
            self.frame = result
        elif isinstance(result, Depth):
            self.depth = result


class Command(BaseCommand):
    """``manage.py engine PHOTO --out X.glb``."""

    help = (
        "Make a 3D model of a photo with the embedded engine alone: no site, no database, nothing leaves the machine."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The photo, the file to write, and all that can be asked of the engine."""
        usual = engine.Options()
        add = parser.add_argument
        add("photo", type=Path, help="a photo as the site takes it: JPEG, PNG, WebP, HEIC or AVIF")
        add("--out", type=Path, required=True, metavar="X.glb", help="where to write the model")
        add("--tier", default=usual.quality, choices=list(engine.QUALITIES), help="how fine (default: %(default)s)")
        add("--pose", default=usual.pose, choices=get_args(Pose), help="how it stands (default: %(default)s)")
        add("--back", default=usual.back, choices=get_args(Back), help="the unseen side (default: %(default)s)")
        add("--back-photo", type=Path, metavar="FILE", help="a second photo, which shows the unseen side")
        add("--keep-all", action="store_true", help="model everything that stands out, not only the main subject")
        add("--flatten-light", action="store_true", help="take the photo's light and shade out of the colours")
        add("--normal-map", action="store_true", help="add fine relief guessed from the photo's drawing")
        add("--print", type=float, metavar="MM", help="for a 3D printer: the longest side in millimetres")
        add("--wall", type=float, metavar="MM", help="the thinnest wall that the printer can make (with --print)")
        add("--explain", type=Path, metavar="DIR", help="write mask, depth maps and a contact sheet into this folder")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the model and print one line of facts. Raises ``CommandError`` with the reason in a sentence."""
        wanted = engine_options(options)
        if options["out"].is_dir() or not options["out"].parent.is_dir():
            raise CommandError(f"{options['out']}: the model needs the name of a file in a folder that exists.")
        if options["explain"]:
            make_folder(options["explain"])
        steps = Steps()
        cut = subject(options["photo"], keep_all=options["keep_all"], steps=steps)
        back = options["back_photo"] and subject(options["back_photo"], keep_all=False, steps=steps)
        with told_of(options["photo"]):
            model = engine.reconstruct(
                engine.encode_cut_out(cut),
                options=wanted,
                back_png=engine.encode_cut_out(back) if back else None,
                watch=steps.done,
            )
        write(options["out"], model)
        if options["explain"]:
            explained(options["explain"], cut, steps, model)
        self.stdout.write(facts(options["out"], model, cut, steps, wanted))


def engine_options(options: dict[str, Any]) -> engine.Options:
    """What the command line asks for. Raises ``CommandError``."""
    printing = None
    if options["print"] is not None:
        usual = engine.Print()
        wall = usual.wall if options["wall"] is None else options["wall"]
        for name, value, (least, most) in (("--print", options["print"], PRINT_MM), ("--wall", wall, WALL_MM)):
            if not least <= value <= most:
                raise CommandError(f"{name} takes {least:g} to {most:g} millimetres, not {value:g}.")
        if wall > options["print"] / SIZE_PER_WALL:
            raise CommandError(f"--wall takes at most a fifth of --print, {options['print'] / SIZE_PER_WALL:g} mm.")
        if options["keep_all"]:
            raise CommandError("--keep-all does not go with --print: a printer makes one piece.")
        printing = engine.Print(size=options["print"], wall=wall)
    elif options["wall"] is not None:
        raise CommandError("--wall goes with --print: it is the thinnest wall of a printed piece.")
    if options["back_photo"] and options["back"] == "mirrored":
        raise CommandError("--back mirrored does not go with --back-photo: the photo shows that side.")
    return engine.Options(
        quality=options["tier"],
        pose=options["pose"],
        back=options["back"],
        flatten_light=options["flatten_light"],
        normal_map=options["normal_map"],
        printing=printing,
    )


@contextmanager
def told_of(photo: Path) -> Iterator[None]:
    """Turn what the engine may raise for this photo into a ``CommandError`` that says so."""
    try:
        yield
    except engine.NoSubject as refused:
        raise CommandError(f"{photo}: {failures.failure(refused.code)}") from None
    except engine.EngineError as refused:
        raise CommandError(f"{photo}: {refused}") from None


def subject(photo: Path, *, keep_all: bool, steps: Steps) -> engine.CutOut:
    """The cut-out of a photo that is taken as an upload would be. Raises ``CommandError``."""
    try:
        with photo.open("rb") as file:
            data = file.read(settings.UPLOAD_LIMIT_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{photo}: {error.strerror}.") from None
    if len(data) > settings.UPLOAD_LIMIT_BYTES:
        raise CommandError(f"{photo}: the limit is {settings.UPLOAD_LIMIT_BYTES // 1_000_000} MB.")
    try:
        picture = images.normalise([data])
    except images.Refused as refused:
        raise CommandError(f"{photo}: {refused.message}") from None
    steps.done("photo", picture)
    with told_of(photo):
        cut = engine.cut_out(picture.data, keep_all=keep_all)
    steps.done("cut-out", cut)
    return cut


def write(path: Path, data: bytes) -> None:
    """Write a file, over one that is there. Raises ``CommandError``."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from None


def make_folder(path: Path) -> None:
    """Make a folder, unless it is there. Raises ``CommandError``."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}.") from None


def explained(folder: Path, cut: engine.CutOut, steps: Steps, model: bytes) -> None:
    """Write what the steps found, as pictures. Raises ``CommandError``."""
    assert steps.frame is not None
    assert steps.depth is not None
    pictures = {
        "mask": cut.rgba[..., 3],
        **explain.depth_maps(steps.frame, steps.depth),
        "sheet": explain.sheet(model, cut),
    }
    for name, picture in pictures.items():
        write(folder / f"{name}.png", explain.png(picture))


def facts(out: Path, model: bytes, cut: engine.CutOut, steps: Steps, wanted: engine.Options) -> str:
    """One line: triangles, size, camera, seconds of each step, and what the model's owner should know."""
    mesh = explain.read(model)
    size = f"{' × '.join(f'{side:.2f}' for side in mesh.size)} m"
    if wanted.printing:
        size = f"{' × '.join(f'{side * 1000:.1f}' for side in mesh.size)} mm; {mesh.volume * 1e6:.1f} cm³"
    camera = (
        f"; camera {steps.depth.elevation:.0f}° above, network trusted {steps.depth.trust:.0%}" if steps.depth else ""
    )
    seconds = ", ".join(f"{step} {took:.3f} s" for step, took in steps.seconds.items())
    warnings = "".join(f" {failures.warning(code)}" for code in cut.warnings)
    return f"{out}: {len(mesh.triangles)} triangles; {size}{camera}; {seconds}.{warnings}"
