"""Time passes: what is due is done in order, each at its own moment, whether real time has come there or was moved."""

from __future__ import annotations

from sandbox.stripe import sessions, subscriptions
from sandbox.stripe.book import Book


def catch_up(book: Book) -> None:
    """Do what is due by now."""
    _until(book, book.exact_now())


def advance(book: Book, seconds: float) -> None:
    """Move the clock forward, doing on the way what is due. Raises ``ValueError`` for a step back."""
    if seconds < 0:
        raise ValueError("the clock goes forward only")
    _until(book, book.exact_now() + seconds)
    book.offset += seconds


def _until(book: Book, target: float) -> None:
    while book.agenda and book.agenda[0][0] <= target:
        when, what, id = book.due()
        book.moment = when
        try:
            _do(book, what, id, int(when))
        finally:
            book.moment = None


def _do(book: Book, what: str, id: str, when: int) -> None:
    object = book.objects[id]
    if what == "expire" and object["status"] == "open":
        sessions.expire(book, object)
    elif what == "renew" and object["status"] in subscriptions.ALIVE and subscriptions.end_of(object) == when:
        subscriptions.renew(book, object)
    elif what == "retry" and object["status"] == "open" and object["next_payment_attempt"] == when:
        subscriptions.retry(book, object)
