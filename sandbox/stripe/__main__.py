"""``python -m sandbox.stripe`` stands in for Stripe beside a site on this machine, until told to stop.

It listens where ``STRIPE_API_BASE`` says (``http://127.0.0.1:PORT``), takes ``STRIPE_SECRET_KEY``, posts events to the
site at ``SITE_URL``, signed with ``STRIPE_WEBHOOK_SECRET``, and keeps its state in ``STATE_DIR/stripe.json``.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.stripe.running import Sandbox
from sandbox.stripe.store import StoreError

WEBHOOK = "/billing/webhook"


def main() -> int:
    """Exit code 0 when stopped on request, 1 with one line of reason otherwise."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        port = urlsplit(os.environ["STRIPE_API_BASE"]).port
        running = Sandbox(
            key=os.environ["STRIPE_SECRET_KEY"],
            secret=os.environ["STRIPE_WEBHOOK_SECRET"],
            deliver_to=os.environ["SITE_URL"].rstrip("/") + WEBHOOK,
            port=port or 0,
            file=Path(os.environ["STATE_DIR"]) / "stripe.json",
        )
    except KeyError as error:
        print(f"The sandbox for Stripe did not start: {error.args[0]} is not set.", file=sys.stderr)
        return 1
    except (OSError, ValueError, StoreError) as error:
        print(f"The sandbox for Stripe did not start: {error}", file=sys.stderr)
        return 1
    with running:
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
