"""``mmi verify``: the checks of ``verify.py``, which stands alone; the site's keys are fetched if none are given."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from modelmyimage.cli.account import opened
from modelmyimage.cli.exits import WrongUse


def arguments(parser: argparse.ArgumentParser) -> None:
    """What can be typed."""
    parser.add_argument("file", metavar="RECEIPT|HEAD", help="what is to be checked")
    parser.add_argument("--keys", metavar="FILE", help="the public keys, kept by you; without it they are fetched now")
    parser.add_argument("--other", metavar="HEAD", help="another head of the log, such as one that you kept")
    parser.add_argument("--consistency", metavar="PROOF", help="the proof that one head’s log begins with the other’s")
    parser.add_argument("--signature-only", action="store_true", help="do not ask for the log’s proof")


def command(arguments: argparse.Namespace) -> int:
    """Check it; with ``--keys`` nothing is asked of anybody."""
    try:
        from modelmyimage import verify
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.partition(".")[0] != "cryptography":
            raise
        raise WrongUse("Checking signatures needs one more package: pip install 'modelmyimage[verify]'") from None
    words = [arguments.file]
    for option, value in (("--other", arguments.other), ("--consistency", arguments.consistency)):
        words += [option, value] if value else []
    words += ["--signature-only"] if arguments.signature_only else []
    if arguments.keys:
        return verify.main([*words, "--keys", arguments.keys])
    with opened(arguments) as client, tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.json"
        keys.write_bytes(client.public_keys())
        print(
            f"The keys are what {client.settings.url} says now. To trust it less, keep a copy and give it by --keys.",
            file=sys.stderr,
        )
        return verify.main([*words, "--keys", str(keys)])
