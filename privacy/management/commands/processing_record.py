"""``manage.py processing_record [--json]``: the record of processing, from the data map, for whoever runs the site."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from privacy.processing import markdown, record


class Command(BaseCommand):
    """Prints Markdown, or JSON."""

    help = "Print the record of processing (GDPR, article 30) as the data map has it: Markdown, or JSON with --json."

    def add_arguments(self, parser: CommandParser) -> None:
        """``--json``."""
        parser.add_argument("--json", action="store_true", help="JSON instead of Markdown")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        found = record()
        self.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) if options["json"] else markdown(found))
