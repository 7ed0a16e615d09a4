"""Who takes the money on this machine: Stripe if the operator has a key, otherwise the stand-in, and no money moves."""

import os
import re
import secrets
from pathlib import Path

from modelmyimage.local.ports import spare_port


def stand_in(state: Path, site_port: int) -> dict[str, str]:
    """Variables that lead the site to the stand-in and the stand-in to its port; none where Stripe itself is used.

    Both keys are made for the one run: whoever may use them is a child of this process.
    """
    if has_key(state):
        return {}
    return {
        "STRIPE_SECRET_KEY": f"sk_test_sandbox{secrets.token_hex(16)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(24)}",
        "STRIPE_API_BASE": f"http://127.0.0.1:{spare_port(wanted=site_port + 1)}",
    }


def has_key(state: Path) -> bool:
    """Whether the operator has set a key of Stripe's, in the environment or in ``local.env``."""
    if os.environ.get("STRIPE_SECRET_KEY"):
        return True
    settings = state / "local.env"
    return settings.is_file() and bool(
        re.search(r"^(?:export )?STRIPE_SECRET_KEY=.", settings.read_text(), flags=re.MULTILINE)
    )
