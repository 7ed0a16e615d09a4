"""Publish each document whose text is another one than its newest version's; say what that means."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trust import difference, publishing, texts
from trust.difference import Kind
from trust.models import Document, Version


class Command(BaseCommand):
    """Run it after a new release and after each change of settings; a nightly task does the same."""

    help = "Publish each document that says something new. With --dry-run: say what would change, and publish nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Looking first changes nothing."""
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and publish nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say a line for each document; an unknown name in one is an error."""
        try:
            for document in Document.values:
                self.stdout.write(_would(document) if options["dry_run"] else _published(document))
        except texts.UnknownName as error:
            raise CommandError(f"A document uses a value that does not exist: {error}") from None


def _published(document: str) -> str:
    version = publishing.publish_one(document)
    if version is None:
        return f"{document}: nothing new"
    when = f"takes effect on {version.effective_at:%Y-%m-%d}" if version.is_coming else "in force"
    return f"{document}: version {version.number}, {when}. {version.summary}"


def _would(document: str) -> str:
    from django.utils import timezone

    newest: Version | None = Version.objects.of(document).first()
    text, mark = publishing.rendered(document, timezone.now())
    if newest is None:
        return f"{document}: would be version 1"
    if newest.text == text:
        return f"{document}: nothing new"
    what = "of substance" if publishing.is_substantial(newest.mark, mark) else "in wording or values"
    lines = [
        f"  {'+' if piece.kind is Kind.ADDED else '-'} {piece.text.strip()}"
        for change in difference.between(newest.text, text)
        for piece in change.pieces
        if piece.kind is not Kind.SAME
    ]
    return "\n".join([f"{document}: would be version {newest.number + 1}, a change {what}", *lines])
