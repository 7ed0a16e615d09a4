"""Rows of the app: the ledger's (only ``billing/ledger.py`` writes those), what people bought, and what they chose."""

from billing.models.ledger import BroughtForward, Entry, JournalPage, LedgerAccount, Proven, Transaction
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
    "BroughtForward",
    "ClosedBooks",
    "Customer",
    "Entry",
    "JournalPage",
    "LedgerAccount",
    "Order",
    "Payment",
    "Preferences",
    "Proven",
    "StripeEvent",
    "Subscription",
    "Transaction",
]
