"""``mmi``: what can be typed, and what the exit code says.

0    all of it was done
1    something was not: a photo without a model, a receipt that does not hold, a refusal of the site
2    it cannot be meant like that: a wrong option, a missing file
3    there is no key, or it does not work or may not do this
4    the site cannot be reached
130  stopped by Ctrl-C; what was begun can be resumed
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from modelmyimage import __version__
from modelmyimage.cli import account, generate, verifying
from modelmyimage.cli.exits import CONNECTION, FAILED, KEY, STOPPED, USAGE, WrongUse
from modelmyimage.errors import Error, KeyRefused, NotAllowed, NotConnected, NotSetUp

CODES: Final = __doc__.split("\n\n", 1)[1] if __doc__ else ""
Command = Callable[[argparse.Namespace], int]


def main(words: Sequence[str] | None = None) -> int:
    """Do what the words say; the exit code."""
    arguments = parser().parse_args(words)
    command: Command = arguments.command
    try:
        return command(arguments)
    except WrongUse as wrong:
        return _failed(wrong, USAGE)
    except (NotSetUp, KeyRefused, NotAllowed) as error:
        return _failed(error, KEY)
    except NotConnected as error:
        return _failed(error, CONNECTION)
    except Error as error:
        return _failed(error, FAILED)
    except BrokenPipeError:  # whoever read our lines has enough
        sys.stderr.close()
        return FAILED
    except OSError as error:
        return _failed(f"{error.filename or 'A file'}: {error.strerror}.", FAILED)
    except KeyboardInterrupt:
        return STOPPED


def run() -> None:
    """The program."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old terminal's alphabet is no reason to stop
    sys.exit(main())


def _failed(said: object, code: int) -> int:
    print(f"mmi: {said}", file=sys.stderr)
    return code


def parser() -> argparse.ArgumentParser:
    """Everything that can be typed."""
    whole = argparse.ArgumentParser(
        prog="mmi",
        description="Photos into 3D models, by a ModelMyImage site. Tags are taken off before a photo is sent.",
        epilog=f"Exit codes:\n\n{CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"mmi {__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, said: str, *, site: bool = True, **more: Any) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=said, description=said, **more)
        one.set_defaults(command=command)
        if site:
            one.add_argument("--url", help="the site’s address (else MMI_URL, or that of mmi login)")
            one.add_argument("--insecure", action="store_true", help="send the key without encryption, if it must be")
        return one

    add("login", account.login, "Keep a site’s address and your access key, for you alone; asks for the key.")
    add("logout", account.logout, "Remove what login kept.", site=False)
    generate.arguments(add("generate", generate.command, "Make models of photos."))

    history = add("history", account.history, "List your jobs, newest first.")
    history.add_argument("--state", default="", choices=account.STATES, help="only those in this state")
    history.add_argument("-n", "--limit", type=int, default=25, help="how many (25)")
    cancel = add("cancel", account.cancel, "Stop jobs; before their models are ready, this costs nothing.")
    cancel.add_argument("job", nargs="+", help="a job’s id")
    receipt = add("receipt", account.receipt, "Save the signed receipt of a job that is over.")
    receipt.add_argument("job", help="a job’s id")
    receipt.add_argument("-o", "--output", default="receipt.json", metavar="FILE", help="the file (receipt.json)")
    usage = add("usage", account.usage, "Say how the API was used.")
    usage.add_argument("--from", dest="start", default="", metavar="DAY", help="from this day on, like 2026-01-31")
    usage.add_argument("--to", dest="end", default="", metavar="DAY", help="until this day")
    usage.add_argument("--by", default="", choices=["day", "key", "endpoint", "provider"], help="what a row is about")
    add("balance", account.balance, "Say how many credits there are.")
    add("providers", account.providers, "List who could receive your photos, and on what terms.")
    add("keys", account.keys, "List the access keys, and say which is used here.")
    export = add("export", account.export, "Save a copy of everything that the site holds about you.")
    export.add_argument("-o", "--output", default="my-data.zip", metavar="FILE", help="the file (my-data.zip)")
    for one in (history, usage):
        one.add_argument("--json", action="store_true", help="as JSON")

    verifying.arguments(add("verify", verifying.command, "Check a receipt, or a head of the log."))
    return whole
