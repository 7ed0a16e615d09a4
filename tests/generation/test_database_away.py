"""A database that drops its connections while a provider is at work costs no call that was paid for."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from django.db import connection

from generation.models import Job
from sandbox.providers.meshy import MeshySimulator
from sandbox.providers.simulator import Call, Simulator
from sandbox.providers.stability import StabilitySimulator
from tests.generation.conftest import mesh

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no connections to drop"),
]


def drop_connections() -> None:
    """As a restart of Postgres does."""
    database = connection.settings_dict
    with psycopg.connect(
        host=database["HOST"], user=database["USER"], dbname=database["NAME"], autocommit=True
    ) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )


class Meshy(MeshySimulator):
    """Answers with an id."""

    def call(self, photos: list[bytes], **asked: object) -> Call:
        """Take it in while the database goes away."""
        drop_connections()
        return super().call(photos, **asked)


class Stability(StabilitySimulator):
    """Answers with the mesh."""

    def call(self, photos: list[bytes], **asked: object) -> Call:
        """Take it in while the database goes away."""
        drop_connections()
        return super().call(photos, **asked)


@pytest.mark.parametrize(("name", "vendor"), [("meshy", Meshy), ("stability-sf3d", Stability)])
def test_a_paid_call_survives_a_database_that_was_away(
    name: str, vendor: type[Simulator], settings, send: Callable[..., Job], drive: Callable[..., Job]
) -> None:
    with vendor() as running:
        running.behaviour.mesh, running.behaviour.polls = mesh(), 0
        prefix = name.partition("-")[0].upper()
        settings.PROVIDERS = [name]
        settings.PROVIDER_ENVIRONMENT = {
            f"{prefix}_API_KEY": running.key,
            f"{prefix}_URL": f"{running.url} {running.files}",
        }
        ready = drive(send(provider=name), until=Job.Stage.DELIVER)
        assert [attempt.state for attempt in ready.attempts.all()] == ["finished"]
        assert len(running.calls) == 1
