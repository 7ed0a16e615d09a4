"""The ledger's lines as a table for other programs: CSV in UTF-8, times in UTC, oldest first.

The words of the column ``what`` are those of ``statement.Line``, whatever the language of the pages, and money is in
the currency's major unit with a point, so that a program reads the same table everywhere. What a person wrote cannot
begin a formula in a spreadsheet.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

from accounts.models import User
from billing import money, statement
from privacy.spreadsheets import harmless

COLUMNS = (
    "time", "what", "credits", "balance", "moved", "job", "ended", "amount", "currency", "reference",
    "reason",
)  # fmt: skip


def table(user: User) -> str:
    """All of the person's lines."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for line in statement.everything(user):
        payment = line.payment if line.what == "bought" else None
        writer.writerow(
            [
                _moment(line.at),
                line.what,
                line.credits,
                line.balance,
                line.moved,
                line.job or "",
                _moment(line.ended_at) if line.ended_at else "",
                _major(payment.amount, payment.currency) if payment else "",
                payment.currency.upper() if payment else "",
                harmless(line.payment.stripe_id) if line.payment else "",
                harmless(line.reason or line.cause),
            ]
        )
    return out.getvalue()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _major(amount: int, currency: str) -> str:
    return format(Decimal(amount).scaleb(-money.decimals(currency)), "f")
