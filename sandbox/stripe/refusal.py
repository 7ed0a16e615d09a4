"""How Stripe says no."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """A call that is answered with an error. ``status``: the HTTP status; ``code`` and ``param``: as Stripe names them.

    ``kept``: whether a repetition with the same idempotency key gets it again. What a look at the parameters has shown
    to be wrong is not kept.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        param: str = "",
        status: int = 400,
        type: str = "invalid_request_error",
        kept: bool = True,
    ) -> None:
        super().__init__(message)
        self.message, self.code, self.param = message, code, param
        self.status, self.type, self.kept = status, type, kept

    def body(self) -> dict[str, Any]:
        """The answer's body."""
        error = {"type": self.type, "message": self.message, "code": self.code, "param": self.param}
        return {"error": {name: value for name, value in error.items() if value}}


def missing(what: str, id: str, param: str = "id") -> Refusal:
    """There is no such object."""
    return Refusal(f"No such {what}: '{id}'", code="resource_missing", param=param, status=404)
