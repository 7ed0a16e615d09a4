"""Rows of the app: the ledger's (only ``billing/ledger.py`` writes those), what people bought, and what they chose."""

from billing.models.ledger import Entry, LedgerAccount, Transaction
from billing.models.purchases import (
    Adjustment,
    ClosedBooks,
    Customer,
    Order,
    Payment,
    Preferences,
    StripeEvent,
    Subscription,
)

__all__ = [
    "Adjustment",
    "ClosedBooks",
    "Customer",
    "Entry",
    "LedgerAccount",
    "Order",
    "Payment",
    "Preferences",
    "StripeEvent",
    "Subscription",
    "Transaction",
]
