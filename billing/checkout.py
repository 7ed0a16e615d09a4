"""Sending a person to Stripe: to Checkout for something from the catalogue, to the Customer Portal, to a document.

Nothing here gives credits. Every call carries an idempotency key of the order's or person's own, and the row that
names it is written before the call: whoever is killed between Stripe's answer and our commit asks again and gets the
same customer, the same session.
"""
