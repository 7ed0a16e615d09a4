"""Credits: the ledger and what writes to it."""
