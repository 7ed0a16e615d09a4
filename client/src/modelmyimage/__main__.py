"""``python -m modelmyimage`` is ``mmi``."""

from modelmyimage.cli.main import run

run()
