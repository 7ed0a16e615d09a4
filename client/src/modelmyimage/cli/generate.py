"""``mmi generate``: photos in, models out, several at a time, and never paid for twice.

Each photo is noted before it is sent and each job as soon as there is one (``unfinished.py``). So whatever ends the
command (Ctrl-C, a network that is away, the machine), the same command again goes on where it was.
"""

from __future__ import annotations

import argparse
import asyncio
import glob
import os
import sys
from contextlib import aclosing
from pathlib import Path
from typing import Final, cast

from modelmyimage import settings
from modelmyimage.aio import AsyncClient
from modelmyimage.cli import unfinished
from modelmyimage.cli.exits import CONNECTION, FAILED, STOPPED, WrongUse
from modelmyimage.cli.progress import Progress
from modelmyimage.cli.unfinished import Entry
from modelmyimage.errors import (
    ApiError,
    Error,
    JobEnded,
    KeyRefused,
    NotAllowed,
    NotAPhoto,
    NotConnected,
    SiteFault,
    TooMany,
)
from modelmyimage.shapes import Job, Wishes
from modelmyimage.tags import photo_of

MOST_AT_ONCE: Final = 16
RECEIPT_SECONDS: Final = 30


def arguments(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    add = parser.add_argument
    add("photo", nargs="*", help="files, or patterns like photos/*.jpg")
    add("-o", "--output", metavar="FILE|FOLDER", help="where to (the photo’s name with .glb, in this folder)")
    add("-p", "--parallel", type=int, default=4, metavar="N", help=f"photos at a time, up to {MOST_AT_ONCE} (4)")
    add("-f", "--force", action="store_true", help="replace files that are there already")
    add("--resume", action="store_true", help="go on with everything that was left unfinished at this site")
    add("--receipts", action="store_true", help="save each job’s signed receipt beside its model")
    wish = parser.add_argument_group("wishes", "What is left out is as usual at the site.").add_argument
    wish("-q", "--quality", choices=["draft", "standard", "high"], help="what it costs depends on this")
    wish("--provider", help="who makes it; mmi providers lists them")
    wish("--max-credits", type=int, metavar="N", help="what each may cost at most")
    wish("--keep-minutes", type=int, choices=[10, 60, 1440], help="how long a model waits if it is not fetched")
    wish("--keep-all", action="store_true", default=None, help="everything in the photo, not the main object only")
    wish("--back", choices=["invented", "mirrored"], help="the side that the photo does not show")
    wish("--flatten-light", action="store_true", default=None, help="colours without the light of the room")
    wish("--normal-map", action="store_true", default=None, help="fine relief, as shading")
    wish("--print-size-mm", type=int, metavar="MM", help="the longest side of a piece for a 3D printer")
    wish("--no-texture", dest="texture", action="store_false", default=None, help="the bare shape")
    wish("--target-triangles", type=int, metavar="N", help="about how many triangles it should have")
    wish("--self-hosted", action="store_true", default=None, help="only on machines of the site")
    wish("--no-retention", action="store_true", default=None, help="only where nothing is kept")
    wish("--no-training", action="store_true", default=None, help="only where nothing is learnt from photos")


def command(arguments: argparse.Namespace) -> int:
    """Make them; the worst exit code of all photos."""
    if not 1 <= arguments.parallel <= MOST_AT_ONCE:
        raise WrongUse(f"--parallel is from 1 to {MOST_AT_ONCE}.")
    found = settings.found(arguments.url, insecure=arguments.insecure)
    if not arguments.resume:
        todo = planned(arguments, found.url)
    elif arguments.photo:
        raise WrongUse("--resume goes on with all that was left; name no photos, or leave --resume away.")
    else:
        todo = list(unfinished.every(found.url))
        if not todo:
            print("Nothing is unfinished.")
    if not todo:
        return 0
    progress = Progress(len(todo))
    try:
        return asyncio.run(_all(todo, arguments, progress))
    except (KeyboardInterrupt, asyncio.CancelledError):
        begun = sum(bool(entry.job) and entry.path.exists() for entry in todo)
        goes_on = f" {begun} {'job goes' if begun == 1 else 'jobs go'} on at the site." if begun else ""
        progress.line(f"Stopped.{goes_on} The same command again, or mmi generate --resume, fetches the rest.")
        return STOPPED
    finally:
        progress.close()


def planned(arguments: argparse.Namespace, url: str) -> list[Entry]:
    """Which photo becomes which file; as it was left, where this was begun before. Raises ``WrongUse``."""
    photos = expanded(arguments.photo)
    targets = [str(each) for each in _targets(photos, arguments.output)]
    clash = next((each for each in targets if targets.count(each) > 1), None)
    if clash:
        raise WrongUse(f"Two photos would become {clash}. Make them in two folders: -o FOLDER/")
    wishes = cast(
        Wishes,
        {name: value for name in Wishes.__annotations__ if (value := getattr(arguments, name, None)) is not None},
    )
    todo = []
    for photo, target in zip(photos, targets, strict=True):
        entry = Entry(url, str(photo.resolve()), target, wishes, arguments.receipts).taken_up()
        if os.path.exists(target) and not (entry.job or arguments.force):
            print(f"{target} is there already; --force replaces it.", file=sys.stderr)
            continue
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        todo.append(entry)
    return todo


def expanded(patterns: list[str]) -> list[Path]:
    """The files, each once, in their order; patterns too, as not every shell resolves them. Raises ``WrongUse``."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        names = [pattern] if path.exists() else sorted(glob.glob(pattern, recursive=True))
        files = [Path(name) for name in names if Path(name).is_file()]
        if path.is_dir():
            raise WrongUse(f"{pattern} is a folder. Name its photos: {path / '*.jpg'}")
        if not files:
            raise WrongUse(f"There is no {pattern}.")
        found.update(dict.fromkeys(files))
    if not found:
        raise WrongUse("Which photos? Say mmi generate photo.jpg")
    return list(found)


def _targets(photos: list[Path], output: str | None) -> list[Path]:
    where = Path(output or ".")
    a_folder = output is None or where.is_dir() or output.endswith(("/", os.sep))
    if len(photos) > 1 and not a_folder:
        if where.suffix:
            raise WrongUse(f"Several photos need a folder: -o {where.parent / where.stem}/")
        a_folder = True
    if not a_folder:
        return [where.absolute()]
    return [(where / f"{photo.stem}.glb").absolute() for photo in photos]


async def _all(todo: list[Entry], arguments: argparse.Namespace, progress: Progress) -> int:
    places = asyncio.Semaphore(arguments.parallel)
    async with AsyncClient(arguments.url, insecure=arguments.insecure) as client:

        async def one(entry: Entry) -> int:
            async with places:
                return await _one(client, entry, progress)

        tasks = [asyncio.ensure_future(one(entry)) for entry in todo]
        try:
            return max(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise


async def _one(client: AsyncClient, entry: Entry, progress: Progress) -> int:
    """One photo, from where it was left; its exit code. What can be tried again stays noted."""
    name = Path(entry.photo).name
    try:
        job = await _made(client, entry, progress)
    except (KeyRefused, NotAllowed):  # ends them all
        raise
    except (Error, OSError) as error:
        for_good = isinstance(error, (JobEnded, NotAPhoto, ApiError)) and not isinstance(error, (TooMany, SiteFault))
        if for_good:
            entry.close()
        progress.finished(entry.target, name)
        progress.line(f"{name}: {error}" + ("" if for_good else " The same command again goes on where this was."))
        return CONNECTION if isinstance(error, NotConnected) else FAILED
    entry.close()
    progress.finished(entry.target, name)
    cost = f"{job.credits.charged} {'credit' if job.credits.charged == 1 else 'credits'}"
    progress.result(f"{entry.target}  {Path(entry.target).stat().st_size} bytes  {cost}  job {job.id}")
    return 0


async def _made(client: AsyncClient, entry: Entry, progress: Progress) -> Job:
    name = Path(entry.photo).name
    if not entry.job:
        photo = await asyncio.to_thread(photo_of, entry.photo)
        if not photo.stripped:
            progress.line(f"{name}: its tags go along, as it is {photo.media_type}; the site takes them off first.")
        entry.save()
        entry.job = (await client.jobs.create(photo, idempotency_key=entry.idempotency_key(photo), **entry.wishes)).id
        entry.save()
        progress.note(f"{name}: sent, job {entry.job}")
    job = await _ready(client, entry, progress)
    if job.state == "ready":
        job = await client.jobs.finish(job, entry.target)
    elif job.state != "done" or not Path(entry.target).exists():
        raise JobEnded(job)
    if entry.receipt:
        await _receipt(client, entry, progress)
    return job


async def _ready(client: AsyncClient, entry: Entry, progress: Progress) -> Job:
    found: Job | None = None
    async with aclosing(client.jobs.events(entry.job)) as events:
        async for found in events:
            progress.job(entry.target, Path(entry.photo).name, found)
            if found.state != "running":
                return found
    return found or await client.jobs.get(entry.job)


async def _receipt(client: AsyncClient, entry: Entry, progress: Progress) -> None:
    """The receipt, which is made moments after the model is destroyed."""
    to = Path(entry.target).with_suffix(".receipt.json")
    for _ in range(RECEIPT_SECONDS):
        job = await client.jobs.get(entry.job)
        if job.over:
            progress.result(str((await client.jobs.receipt(entry.job)).save(to)))
            return
        await asyncio.sleep(1)
    progress.line(f"Its receipt is not there yet. Later: mmi receipt {entry.job} -o {to}")
