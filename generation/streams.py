"""Answers in pieces whose generator ends with them, however that is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from django.http import StreamingHttpResponse


class Stream(StreamingHttpResponse):
    """Closes its generator when the answer is over. Django's own leaves that to the garbage collector."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], **how: Any) -> None:
        super().__init__(pieces, **how)
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The generator itself, so that whoever closes this closes that."""
        return self._pieces
