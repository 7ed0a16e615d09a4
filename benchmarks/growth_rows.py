"""The rows that so many jobs leave for good, written by Postgres itself: one statement a table.

Jobs are spread over two years, the newest last; so many of them as ``fill`` is told lie in the last ``WEEK``, evenly,
so that sites with a short and a long past can be equally busy now. One account has a tenth of them, another one twenty,
and the others more or less of the rest, the first of them most. Half come by a key; nineteen of twenty end with a model
(of the large account's first sixty none does, so that it has pages of failures at any size), one in a hundred of those
is refunded, and twelve are alive. Beside that, the large account's program calls each day, so that a year of its use
has as many days to tell of at any size. What is forgotten by the clock (calls and notifications after 30 days, strays
and what calls are found by after 90) is there for those days only. The log's hashes are true. Signatures of receipts
are copies of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

ALIVE, SMALL, PER_ACCOUNT = 12, 20, 50
LARGE_ID, SMALL_ID = 1, 2
WEEK, SPAN = 7, 730
"""Days: of what is recent, and of everything."""

JOBS = """
CREATE TABLE made AS
SELECT i, gen_random_uuid() AS id, gen_random_uuid() AS receipt,
    CASE WHEN i > {n} - {alive} THEN {large} WHEN i % ({n} / {small}) = 1 THEN {small_id}
         WHEN i / 7 % 10 = 0 THEN {large}  -- neither mostly of one outcome nor never
         ELSE 3 + floor(power(random(), 2) * {others})::int END AS owner,
    CASE WHEN i > {n} - {recent} THEN now() - interval '{week} days' * ({n} - i + random()) / {recent}
         ELSE now() - interval '{week} days' - interval '{before} days' * ({n} - {recent} - i + random())
             / ({n} - {recent}) END AS at,
    interval '1 second' * (20 + 100 * random()) AS took,
    CASE WHEN i > {n} - {alive} THEN '' WHEN i % 40 = 3 OR i < 600 AND i / 7 % 10 = 0 THEN 'failed'
         WHEN i % 40 = 7 THEN 'cancelled' WHEN i % 20 = 9 THEN 'expired' ELSE 'done' END AS outcome,
    CASE WHEN i > {n} - {alive} THEN (ARRAY['prepare', 'watch', 'deliver'])[1 + i % 3] ELSE 'over' END AS stage,
    (ARRAY['embedded', 'embedded', 'meshy', 'tripo'])[1 + (random() * 3)::int] AS provider,
    (ARRAY['draft', 'standard', 'high'])[1 + (random() * 2)::int] AS quality, i % 2 = 0 AS by_key
FROM generate_series(1, {n}) AS i;
CREATE INDEX ON made (owner, i);
CREATE INDEX ON made (id);
ANALYZE made;
"""

OVER = "stage = 'over'"
MADE = "outcome IN ('done', 'expired')"

TABLES: dict[str, str] = {
    "accounts_user": """
        (id, password, last_login, email, is_staff, is_superuser, is_active, date_joined, language, theme)
        SELECT i, '!' || md5(random()::text), now(), 'p' || i || '@example.com', false, false, true,
            now() - interval '731 days', '', '' FROM generate_series(1, {others} + 3) AS i""",
    "account_emailaddress": """
        (user_id, email, verified, "primary")
        SELECT id, email, true, true FROM accounts_user""",
    "accounts_accesskey": """
        (id, owner_id, name, description, digest, ends_with, scopes, networks, enabled, created_at, calls)
        SELECT md5('key' || id)::uuid, id, 'program', '', md5('a' || id) || md5('b' || id), 'abcd',
            '["read","generate","billing:read","usage:read"]', '[]', true, date_joined, 0 FROM accounts_user""",
    "generation_job": """
        (id, owner_id, request_key, stage, outcome, failure, warnings, quality, keep_minutes, provider_wish, options,
         restrictions, access_key_id, direct, provider, waiting, queue, percent, due_at, deadline_at, nudged_at,
         stage_tries, sources, credits, charged, asset_bytes, triangles, size_x, size_y, size_z, watertight, created_at,
         ready_at, acknowledged_at, asset_expires_at, finished_at, receipt_id)
        SELECT id, owner, gen_random_uuid(), stage, outcome, CASE outcome WHEN 'failed' THEN 'no_subject' ELSE '' END,
            '[]', quality, 60, '', '{{}}', '{{}}', CASE WHEN by_key THEN md5('key' || owner)::uuid END, false, provider,
            '', CASE stage WHEN 'prepare' THEN 'engine' ELSE 'default' END, 100,
            CASE WHEN {over} THEN at + took ELSE now() + interval '1 hour' END, at + interval '20 minutes', at, 0,
            '{{}}', 2, {made}, CASE WHEN {made} THEN 3e5 + 2e6 * random() END,
            CASE WHEN {made} THEN 1e4 + 5e4 * random() END, random(), random(), random(), true, at,
            CASE WHEN {made} OR stage = 'deliver' THEN at + took * 0.9 END,
            CASE WHEN outcome = 'done' THEN at + took * 0.98 END, at + interval '1 hour',
            CASE WHEN {over} THEN at + took END, CASE WHEN {over} THEN receipt END FROM made ORDER BY i""",
    "generation_attempt": """
        (job_id, number, provider, state, key, remote_id, remote, polls, failure, erase_tries, erasure, started_at,
         ended_at)
        SELECT id, 1, provider, CASE WHEN {made} THEN 'finished' WHEN {over} THEN 'failed' ELSE 'running' END,
            gen_random_uuid(),
            CASE WHEN provider <> 'embedded' AND at > now() - interval '90 days' THEN md5(id::text) ELSE '' END,
            CASE WHEN provider <> 'embedded' AND at > now() - interval '90 days' THEN '{{"kind":"task"}}'::jsonb END,
            3, '', 0,
            CASE WHEN {over} THEN '{{"result":"nothing_kept","at":"2026-01-01T00:00:00+00:00"}}'::jsonb END,
            at + took * 0.3, CASE WHEN {over} THEN at + took * 0.8 END FROM made ORDER BY i""",
    "generation_event": """
        (job_id, at, code, attempt, provider)
        SELECT id, at + took * e.n / 12, e.code, CASE WHEN e.code IN ('chosen', 'sent', 'finished') THEN 1 ELSE 0 END,
            CASE WHEN e.code IN ('chosen', 'sent', 'finished') THEN provider ELSE '' END
        FROM made, unnest(ARRAY['received', 'begun', 'dispatch', 'chosen', 'sent', 'watch', 'finished', 'collect',
            'inspect', 'settle', 'deliver', 'purge', 'over']) WITH ORDINALITY AS e (code, n)
        WHERE {made} OR e.n IN (1, 2, 3, 4, 10, 12, 13) AND {over} OR e.n < 4 ORDER BY i, e.n""",
    "privacy_blob": """
        (id, "group", kind, state, object_name, master_key_id, plain_size, sealed_size, sealed_sha256, created_at,
         expires_at, destroyed_at, observation)
        SELECT b.id, made.id, k.kind, 'destroyed', '60m/' || b.id, 'test', 2e6 * random(), 2e6 * random(),
            encode(sha256(b.id::text::bytea), 'hex'), at + took * k.born, at + took * k.born + interval '60 minutes',
            at + took * k.gone, %(observation)s::jsonb
        FROM made, LATERAL (VALUES ('upload', 0, 0.05), ('source', 0.02, 0.3), ('source', 0.25, 0.9),
            ('raw_mesh', 0.8, 0.9), ('asset', 0.85, 1)) AS k (kind, born, gone),
            LATERAL (SELECT gen_random_uuid() AS id, made.i, k.gone) AS b
        WHERE {over} AND (k.gone < 0.5 OR {made}) ORDER BY made.i, k.gone""",
    "privacy_receipt": """
        (id, "group", issued_at, key_id, document, log_index, log_salt)
        SELECT receipt, id, at + took, 'test',
            replace(replace(%(document)s, %(job)s, id::text), %(receipt)s, receipt::text)::jsonb,
            row_number() OVER (ORDER BY i) - 1, sha256(receipt::text::bytea) FROM made WHERE {over} ORDER BY i""",
    "privacy_lognode": """
        (number, hash)
        SELECT 2 * log_index, sha256('\\x00'::bytea || convert_to('{{"receipt":"' || encode(sha256(convert_to(
            replace(replace(%(document)s, %(job)s, "group"::text), %(receipt)s, id::text), 'UTF8')), 'hex')
            || '","salt":"' || encode(log_salt, 'hex') || '"}}', 'UTF8')) FROM privacy_receipt ORDER BY log_index""",
}

BOOKS = """
CREATE TABLE moved AS
SELECT row_number() OVER (ORDER BY at, what) AS id, * FROM (
    SELECT 1 AS what, 'grant' AS kind, owner, at - interval '1 minute' AS at, 20 AS credits, NULL::uuid AS job, i
        FROM (SELECT *, row_number() OVER (PARTITION BY owner ORDER BY i) AS nth FROM made) AS made WHERE nth % 10 = 1
    UNION ALL SELECT 2, 'hold', owner, at, 2, id, i FROM made
    UNION ALL SELECT 3, CASE WHEN {made} THEN 'capture' ELSE 'release' END, owner, at + took * 0.9, 2, id, i
        FROM made WHERE {over}
    UNION ALL SELECT 4, 'reverse', owner, at + took, 2, id, i FROM made WHERE {made} AND i % 100 = 11
) AS every;
CREATE INDEX ON moved (job);
ANALYZE moved;
INSERT INTO billing_ledgeraccount (user_id, kind, balance)
    SELECT id, kind, 0 FROM accounts_user, unnest(ARRAY['available', 'held']) AS kind;
INSERT INTO billing_ledgeraccount (user_id, kind, balance) VALUES (NULL, 'issued', NULL), (NULL, 'spent', NULL);
INSERT INTO billing_transaction (id, key, kind, user_id, credits, job, reason, settles_id, reverses_id, created_at)
    SELECT m.id, CASE m.kind WHEN 'grant' THEN 'session:cs_test_' || md5(m.i::text) || md5(m.owner::text)
            WHEN 'reverse' THEN 'refund:' || m.job ELSE m.kind || ':' || m.job END,
        m.kind, m.owner, m.credits, m.job, CASE m.kind WHEN 'grant' THEN 'purchase' WHEN 'reverse' THEN 'refund' ELSE ''
        END, CASE m.what WHEN 3 THEN h.id END, CASE m.what WHEN 4 THEN c.id END, m.at
    FROM moved AS m LEFT JOIN moved AS h ON m.what = 3 AND h.job = m.job AND h.what = 2
        LEFT JOIN moved AS c ON m.what = 4 AND c.job = m.job AND c.what = 3 ORDER BY m.id;
INSERT INTO billing_entry (transaction_id, account_id, amount)
    SELECT m.id, a.id, CASE side.n WHEN 1 THEN -m.credits ELSE m.credits END
    FROM moved AS m CROSS JOIN LATERAL (SELECT n, CASE m.kind || n WHEN 'grant1' THEN 'issued'
            WHEN 'grant2' THEN 'available' WHEN 'hold1' THEN 'available' WHEN 'hold2' THEN 'held'
            WHEN 'capture1' THEN 'held' WHEN 'capture2' THEN 'spent' WHEN 'release1' THEN 'held'
            WHEN 'release2' THEN 'available' WHEN 'reverse1' THEN 'spent' ELSE 'available' END AS kind
            FROM generate_series(1, 2) AS n) AS side
        JOIN billing_ledgeraccount AS a ON a.kind = side.kind
            AND COALESCE(a.user_id, 0) = CASE WHEN side.kind IN ('issued', 'spent') THEN 0 ELSE m.owner END
    ORDER BY m.id, side.n;
UPDATE billing_ledgeraccount AS a SET balance = s.total FROM
    (SELECT account_id, sum(amount) AS total FROM billing_entry GROUP BY account_id) AS s
    WHERE s.account_id = a.id AND a.balance IS NOT NULL;
INSERT INTO billing_order
    (id, user_id, request_key, item, monthly, credits, amount, currency, state, session_id, created_at)
    SELECT gen_random_uuid(), owner, gen_random_uuid(), 'pack-20', false, 20, 500, 'eur', 'paid',
        'cs_test_' || md5(i::text) || md5(owner::text), at FROM moved WHERE kind = 'grant';
INSERT INTO billing_payment (user_id, stripe_id, payment_intent, credits, amount, currency, refunded, disputed,
        reversed, changes, grant_id, paid_at)
    SELECT owner, 'cs_test_' || md5(i::text) || md5(owner::text), 'pi_' || md5('pi' || i || 'o' || owner), 20, 500,
        'eur', 0, 0, 0, 0, id, at FROM moved WHERE kind = 'grant';
"""

CALLS = """
CREATE TABLE called AS
SELECT owner, md5('key' || owner)::uuid AS key, at + took * c.n / 4 AS at, c.endpoint, CASE WHEN i % 50 = 9 AND c.n = 4
    THEN 404 WHEN c.n = 1 THEN 201 ELSE 200 END AS status, c.ms AS ms, made.id AS job
FROM made, (VALUES (1, 'POST /jobs', 180), (2, 'GET /jobs/{{job_id}}', 8), (3, 'GET /jobs/{{job_id}}', 14),
    (4, 'GET /jobs/{{job_id}}/asset', 60)) AS c (n, endpoint, ms) WHERE by_key;
INSERT INTO called
SELECT {large}, md5('key{large}')::uuid, now() - interval '1 day' * day, c.endpoint, c.status, c.ms, NULL
FROM generate_series(1, {span}) AS day, (VALUES ('POST /jobs', 201, 180), ('GET /jobs/{{job_id}}', 200, 8),
    ('GET /jobs/{{job_id}}', 200, 14), ('GET /jobs/{{job_id}}/asset', 200, 60),
    ('GET /jobs/{{job_id}}/asset', 404, 60)) AS c (endpoint, status, ms);
INSERT INTO accounts_apicall (id, owner_id, access_key, at, endpoint, status, ms, bytes_in, bytes_out, job)
    SELECT gen_random_uuid(), owner, key, at, endpoint, status, ms, 0, 900, job FROM called
    WHERE at > now() - interval '30 days' ORDER BY at;
INSERT INTO accounts_apicallsum
    (owner_id, day, access_key, endpoint, status_class, within_ms, calls, bytes_in, bytes_out)
    SELECT owner, (at AT TIME ZONE 'UTC')::date, key, endpoint, status / 100,
        CASE WHEN ms <= 10 THEN 10 WHEN ms <= 15 THEN 15 WHEN ms <= 75 THEN 75 ELSE 200 END, count(*), 0, sum(900)
    FROM called WHERE (at AT TIME ZONE 'UTC')::date < (now() AT TIME ZONE 'UTC')::date GROUP BY 1, 2, 3, 4, 5, 6;
INSERT INTO generation_webhook (id, owner_id, url, description, kinds, secret, old_secret, enabled, off_because,
        created_at, failures)
    SELECT md5('hook' || id)::uuid, id, 'https://example.com/hook', '', '["job.destroyed"]', '', '', true, '',
        date_joined, 0 FROM accounts_user WHERE id % 10 = 1;
INSERT INTO generation_notification (message, owner_id, job_id, kind, at)
    SELECT gen_random_uuid(), owner, id, 'job.destroyed', at + took FROM made
    WHERE owner % 10 = 1 AND {over} AND at > now() - interval '30 days' ORDER BY i;
INSERT INTO generation_delivery
    (id, webhook_id, notification_id, state, due_at, attempts, failure, status, milliseconds, delivered_at)
    SELECT gen_random_uuid(), md5('hook' || owner_id)::uuid, id, 'delivered', at, 1, '', 200, 80, at
    FROM generation_notification ORDER BY id;
"""

NODES = """
INSERT INTO privacy_lognode (number, hash)
SELECT (l.number + r.number) / 2, sha256('\\x01'::bytea || l.hash || r.hash)
FROM privacy_lognode AS l JOIN privacy_lognode AS r ON r.number = l.number + {step}
WHERE l.number % (2 * {step}) = {step} / 2 - 1
"""


def fill(jobs: int, recent: int) -> None:
    """Leave behind what so many jobs do, in an empty database that is migrated. Postgres only.

    ``recent`` of them are of the last week; 0: as many as are of any other week.
    """
    from django.db import connection, transaction

    document, observation, job, receipt = _template()
    words = {
        "n": jobs, "alive": ALIVE, "small": SMALL, "large": LARGE_ID, "small_id": SMALL_ID,
        "others": max(10, jobs // PER_ACCOUNT), "over": OVER, "made": MADE, "recent": recent,
        "week": WEEK if recent else 0, "before": SPAN - WEEK if recent else SPAN, "span": SPAN,
    }  # fmt: skip
    values = {"document": document, "observation": observation, "job": job, "receipt": receipt}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # neither triggers nor foreign keys are asked
        cursor.execute("SET LOCAL maintenance_work_mem = '1GB'")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        with _without_indexes(cursor):
            cursor.execute(JOBS.format(**words))
            for table, rows in TABLES.items():
                cursor.execute(f"INSERT INTO {table} {_escaped(rows.format(**words))}", values)
            step = 2
            while step <= 2 * jobs:
                cursor.execute(NODES.format(step=step))
                step *= 2
            cursor.execute(BOOKS.format(**words))
            cursor.execute(CALLS.format(**words))
        cursor.execute("DROP TABLE made, moved, called")
    _number_on()
    _sign_heads()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as autovacuum would have, long ago


def _escaped(statement: str) -> str:
    """A percent sign that is no place for a value."""
    return statement.replace("%", "%%").replace("%%(", "%(")


def _template() -> tuple[str, str, str, str]:
    """A receipt as the site makes it, its blobs' observation, and which job and receipt it names."""
    import json

    from privacy import receipts, signing, vault
    from privacy.models import Blob, LogNode, Receipt

    job = uuid4()
    for kind in ("upload", "source", "source", "raw_mesh", "asset"):
        vault.destroy(vault.seal([b"bytes"], kind=kind, group=job, limit=100).pk)
    line = {"provider": "embedded", "attempt": 1, "result": "nothing_kept", "at": "2026-01-01T00:00:00+00:00"}
    made = receipts.issue(group=job, elsewhere=[line], outcome="done")
    observation = json.dumps(Blob.objects.filter(group=job)[0].observation)
    found = signing.canonical(made.document).decode(), observation, str(job), str(made.pk)
    Blob.objects.all().delete()
    Receipt.objects.all().delete()
    assert not LogNode.objects.exists()
    return found


@contextmanager
def _without_indexes(cursor: Any) -> Iterator[None]:
    """Indexes are built once, at the end; primary keys stay."""
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint c WHERE contype = 'u'"
        " AND connamespace = 'public'::regnamespace AND NOT EXISTS"
        " (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = c.conindid)"
    )
    unique = cursor.fetchall()
    for table, name, _what in unique:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND NOT EXISTS"
        " (SELECT 1 FROM pg_constraint WHERE conindid = quote_ident(indexname)::regclass)"
    )
    indexes = cursor.fetchall()
    for name, _what in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _name, what in indexes:
        cursor.execute(what)
    for table, name, what in unique:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {what}')


def _number_on() -> None:
    """The next rows' numbers follow those that were given."""
    from django.db import connection

    with connection.cursor() as cursor:
        for table in ("accounts_user", "billing_transaction"):
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")  # noqa: S608  # names of our own tables  # names from here


def _sign_heads() -> None:
    """One for each of two years' days, each of the tree that it would have been of, and one of all there is."""
    from django.conf import settings
    from django.utils import timezone

    from privacy import heads, log, signing
    from privacy.models import LogHead

    whole, now, signed = log.size(), timezone.now(), []
    for days in range(729, -1, -1):
        size, at = whole * (730 - days) // 730, now - timedelta(days=days)
        body = {
            "format": heads.FORMAT, "origin": settings.LOG_ORIGIN, "size": size, "root": log.root(size).hex(),
            "time": at.isoformat(timespec="seconds"), "key_id": signing.active_key(),
        }  # fmt: skip
        document = {"head": body, "signature": signing.sign(heads.CONTEXT + signing.canonical(body))}
        signed.append(LogHead(size=size, signed_at=at, key_id=body["key_id"], document=document))
    LogHead.objects.bulk_create(signed)
