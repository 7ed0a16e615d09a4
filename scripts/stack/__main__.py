"""``python -m scripts.stack``: the whole stack until Ctrl-C, with what dies started again."""

import os
import sys
import time

from modelmyimage.local.site import Stopping, stop_on_signals
from modelmyimage.local.valkey import ValkeyError
from scripts.postgres import PostgresError
from scripts.stack.compose import ComposeError
from scripts.stack.native import NOT_HERE, Stack, StackError


def main() -> int:
    """Exit code 0 when stopped on request, 1 with one line of reason otherwise."""
    stop_on_signals()
    os.umask(0o022)  # Postgres may be another user
    stack = Stack()
    try:
        stack.start()
        stack.manage("collectstatic", "--no-input", "--verbosity", "0")
        print(f"\nThe processes of {len(stack.running)} containers are running; their logs are in {stack.folder}.")
        for name, why in NOT_HERE.items():
            print(f"Left out: {name}, for {why}.")
        headers = " ".join(f'-H "{name}: {value}"' for name, value in stack.headers.items())
        for address in stack.addresses:
            print(f"   curl {headers} {address}/")
        print("Ctrl-C stops them, and nothing is kept.", flush=True)
        while True:
            time.sleep(0.5)
            for name in stack.tend():
                print(f"{name} had stopped, and is started again.", flush=True)
    except Stopping:
        return 0
    except (StackError, ComposeError, PostgresError, ValkeyError) as error:
        print(f"The stack did not start. {error}", file=sys.stderr)
        return 1
    finally:
        stack.stop()


if __name__ == "__main__":
    sys.exit(main())
