"""What must be done before the site's processes start: migrations, and the demo account's sign-in link.

``python -m modelmyimage.local.prepare EMAIL`` prints the link. One process for all of it, because starting Django
is most of what a second start costs.
"""

import os
import sys

import django


def main(email: str) -> None:
    """Bring the database up to date and print the link as the only line on standard output."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "modelmyimage.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)
    call_command("signin_link", email, create=True)


if __name__ == "__main__":
    main(sys.argv[1])
