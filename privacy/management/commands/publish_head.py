"""``manage.py publish_head [--out FILE]``: the log's latest head, as a file that can be mirrored elsewhere."""

import json
import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy import heads, log, signing
from privacy.log_audit import heads_in
from privacy.published import latest_document


class Command(BaseCommand):
    """Signs a head if the log has grown since the last one, and writes the latest."""

    help = "Write the log's latest signed head and the public keys; refuses to replace a head that the log forked from."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("--out", type=Path, metavar="FILE", help="Replace this file; else it is printed.")

    def handle(self, *args: Any, out: Path | None, **options: Any) -> None:
        """Sign, compare, write."""
        while log.append_waiting():
            pass
        try:
            heads.publish(if_grown=True)
        except heads.Forked as error:
            raise CommandError(f"FORK: {error}") from None
        text = json.dumps(latest_document(), indent=1, ensure_ascii=False) + "\n"
        if out is None:
            self.stdout.write(text, ending="")
            return
        try:
            if out.exists():
                self._compare(out)
            new = out.with_name(out.name + ".new")
            new.write_text(text)
            os.replace(new, out)
        except OSError as error:
            raise CommandError(f"{out}: {error.strerror}.") from None

    def _compare(self, out: Path) -> None:
        """What the file says must be a beginning of the log: otherwise it is the only trace of what was lost."""
        try:
            (document,) = heads_in(signing.read(out.read_bytes()))
            head = heads.parse(document)["head"]
        except (signing.Malformed, ValueError):
            raise CommandError(f"{out} is there and holds no head; it is left alone.") from None
        check = heads.check(document)
        if not check.ok:
            raise CommandError(f"{out} is left alone. {check.detail}")
        if not heads.goes_on(head):
            raise CommandError(
                f"FORK: the log does not go on from the head of {head['size']} entries in {out}, which is left alone."
            )
