"""What can go wrong with a request. No message carries anything of its text or of who asks.

RequestError
├── TooMany         so many are open already that another one must wait
├── LinkOver        the link that confirms an address came too late
├── NotOpen         it is closed already, or not confirmed yet
├── NoMoreTime      its time was extended before, or is over
└── OwnRequest      nobody answers what they asked themselves
"""


class RequestError(Exception):
    """Something is wrong with a data-subject request."""


class TooMany(RequestError):
    """The account has as many open requests as one may have."""


class LinkOver(RequestError):
    """Nobody confirmed the address in time; the request is forgotten."""


class NotOpen(RequestError):
    """Only what is open can be answered, refused, extended or withdrawn."""


class NoMoreTime(RequestError):
    """The law gives no further time."""


class OwnRequest(RequestError):
    """The operator is the person who asks."""
