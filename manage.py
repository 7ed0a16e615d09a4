#!/usr/bin/env python
"""Django's command line for ModelMyImage."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmyimage.settings")
    if sys.argv[1:2] == ["engine"]:
        # It seals nothing and signs nothing, so it runs where no keys have been made yet.
        for key in ("SECRET_KEY", "MASTER_KEYS", "SIGNING_KEYS"):
            os.environ.setdefault(key, "not used")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
