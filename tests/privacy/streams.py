"""A blob read as a view reads it: opened in a thread, then chunk by chunk in the event loop."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from asgiref.sync import sync_to_async

from privacy import vault


async def aread(blob_id: UUID) -> AsyncGenerator[bytes, None]:
    """Its plaintext. Raises what ``vault.opened`` raises."""
    reading = await sync_to_async(vault.opened)(blob_id)
    async with aclosing(vault.aread(reading)) as chunks:
        async for chunk in chunks:
            yield chunk
