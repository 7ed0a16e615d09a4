"""Telling an account's own programs what became of its jobs: webhooks, and what is delivered to them.

``outbox`` writes down what happened, with the job's change; ``messages`` is what is said; ``delivering`` brings it to
each webhook, one attempt of which is ``sending``; ``subscribing`` is what owners do to webhooks, ``targets`` where
those may lead. What providers call of ours is ``generation/webhooks.py``, and has nothing to do with this.
"""
