"""Webhooks of customers: what is told, to whom, in which order, and what never is."""
