"""Whether the walks go their whole length: ``LONG_RUNS`` in the environment (``make test-long``)."""

import os

LONG = bool(os.environ.get("LONG_RUNS"))
