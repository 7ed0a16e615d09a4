"""The ground floor: stored bytes, their retention and destruction, and receipts."""
