"""``python -m modelmyimage.local`` runs the site on this machine; ``… demo PHOTO OUT`` runs the main job once."""

import contextlib
import os
import sys
from pathlib import Path

from modelmyimage.local.demo import demo
from modelmyimage.local.site import BASE_DIR, Site, StartError, Stopping, stop_on_signals
from modelmyimage.local.state import StateError
from modelmyimage.local.valkey import ValkeyError

LAST_PORT = 65535


def serve() -> None:
    """Run the site until told to stop. Raises the named errors of this package."""
    port = os.environ.get("PORT") or "8000"
    if not (port.isascii() and port.isdigit() and int(port) <= LAST_PORT):
        raise StartError(f"PORT is {port!r}; it must be a number up to {LAST_PORT}.")
    state = Path(os.environ.get("STATE_DIR") or BASE_DIR / "var").resolve()
    stop_on_signals()
    os.umask(0o077)
    site = Site(state=state, host=os.environ.get("HOST") or "127.0.0.1", port=int(port))
    try:
        link = site.start()
        print(
            f"\nModelMyImage   {site.url}\nSign in as demo@localhost, once:\n\n   {link}\n\nCtrl-C stops it.",
            flush=True,
        )
        site.watch()
    finally:
        with contextlib.suppress(Stopping):
            site.stop()


def main() -> int:
    """Exit code 0 when stopped on request, 1 with one line of reason otherwise."""
    try:
        if sys.argv[1:2] == ["demo"]:
            return demo(sys.argv[2:])
        serve()
    except Stopping:
        return 0
    except (StartError, StateError, ValkeyError) as error:
        print(f"ModelMyImage did not start. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
