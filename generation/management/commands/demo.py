"""The main job without a browser: photo in, GLB out, stages and receipt printed."""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from billing import ledger
from generation import intake, pipeline
from generation.models import Job
from generation.snapshot import snapshot
from privacy import receipts, vault
from privacy.models import Receipt

DEMO_EMAIL = "demo@localhost"
LONGEST_SECONDS = 1800.0


class Command(BaseCommand):
    """``manage.py demo PHOTO OUT``: this process is browser and worker in one."""

    help = "Make a 3D model of a photo through the whole pipeline, without a browser."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The photo to read and the GLB to write."""
        parser.add_argument("photo", type=Path)
        parser.add_argument("out", type=Path)
        parser.add_argument("--quality", default="standard", choices=["draft", "standard", "high"])

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the job and print what a person would see. Raises ``CommandError`` with the reason it failed."""
        began = time.monotonic()
        user = User.objects.filter(email=DEMO_EMAIL).first() or User.objects.create_user(DEMO_EMAIL)
        if ledger.balance(user).available < 5:
            ledger.grant(user=user, credits=100, key=f"demo:{uuid4()}", reason="demo")
        try:
            with options["photo"].open("rb") as photo:
                upload = vault.seal(
                    iter(lambda: photo.read(1 << 16), b""),
                    kind="upload",
                    group=uuid4(),
                    limit=settings.UPLOAD_LIMIT_BYTES,
                )
        except OSError as error:
            raise CommandError(f"{options['photo']}: {error.strerror}") from None
        except vault.TooLarge:
            raise CommandError(f"The limit is {settings.UPLOAD_LIMIT_BYTES // 1_000_000} MB.") from None
        wishes = intake.Wishes(quality=options["quality"], keep_minutes=10)
        try:
            job = intake.receive(owner=user, uploads={"front": upload.pk}, wishes=wishes, request_key=uuid4())
        except intake.NotAccepted as refused:
            raise CommandError(refused.message) from None
        self._say(began, f"job {job.pk}")
        self._run(job, began)
        if job.asset_id is not None:
            with options["out"].open("wb") as out:
                out.writelines(vault.read(job.asset_id))
            self._say(began, f"saved {job.triangles} triangles, {job.asset_bytes} bytes to {options['out']}")
            Job.objects.filter(pk=job.pk).update(acknowledged_at=timezone.now(), due_at=timezone.now())
            job.refresh_from_db()
            self._run(job, began)
        receipt = Receipt.objects.get(group=job.pk)
        self.stdout.write(json.dumps(receipt.document, indent=2))
        self._say(began, "receipt holds" if receipts.verify(receipt.document).ok else "receipt does not hold")
        if job.outcome != Job.Outcome.DONE:
            raise CommandError(snapshot(job)["failure"]["message"] if job.failure else f"The job ended {job.outcome}.")

    def _run(self, job: Job, began: float) -> None:
        """Advance the job until it is over or waits for its owner."""
        stage = job.stage
        while job.stage not in (Job.Stage.OVER, Job.Stage.DELIVER) or job.acknowledged_at:
            if time.monotonic() - began > LONGEST_SECONDS:
                raise CommandError("The job did not end within half an hour.")
            pipeline.advance(job.pk)
            job.refresh_from_db()
            if job.stage != stage:
                self._say(began, f"{stage} → {job.stage}")
                stage = job.stage
            if job.stage == Job.Stage.OVER:
                return
            time.sleep(max(0.0, min(1.0, (job.due_at - timezone.now()).total_seconds())))

    def _say(self, began: float, line: str) -> None:
        self.stdout.write(f"{time.monotonic() - began:7.2f} s  {line}")
