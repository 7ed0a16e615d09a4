"""The client for asyncio: the same as ``sync.py``, awaited. Cancelling a task closes its connection, no job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import httpx

from modelmyimage import http, settings
from modelmyimage.api import Api, Source, Target
from modelmyimage.retrying import Patience
from modelmyimage.shapes import AccessKey, Balance, Job, Line, Provider, Receipt, Usage, Wishes
from modelmyimage.steps import Answer, Close, Course, Emit, Open, Plan, Read, Request, Send, Sleep, Step

if TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")


class AsyncClient:
    """A site and a key.

    Without them, ``MMI_URL`` and ``MMI_KEY`` are used, or what ``mmi login`` wrote. ``patience`` is how many seconds
    a site that says “later” is obeyed in all. Raises ``NotSetUp``.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        patience: float = 300.0,
        insecure: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings.found(url, key, insecure=insecure)
        self._http = httpx.AsyncClient(transport=transport, **http.options(self.settings))
        self._api = Api(Patience(patience))
        self.jobs = AsyncJobs(self)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def generate(
        self, photo: Source, to: Target, *, timeout: float | None = None, **wishes: Unpack[Wishes]
    ) -> Job:
        """A photo in, a model in the file ``to``, and nothing left at the site.

        Raises ``JobEnded`` when there is no model, and ``TimedOut`` while there may still be one.
        """
        return await self.run(self._api.generate(photo, to, wishes, timeout=timeout))

    async def providers(self) -> list[Provider]:
        """Who could receive a photo now, the best first."""
        return await self.run(self._api.providers())

    async def balance(self) -> Balance:
        """What there is to spend."""
        return await self.run(self._api.balance())

    def ledger(self, only: Literal["", "bought", "spent", "returned"] = "") -> AsyncGenerator[Line, None]:
        """The ledger’s lines, newest first."""
        return self.each(self._api.ledger(only=only))

    async def usage(self, start: str = "", end: str = "", by: str = "") -> Usage:
        """How much was used from a day to a day (``2026-01-31``), by ``day``, ``key``, ``endpoint`` or ``provider``."""
        return await self.run(self._api.usage(start=start, end=end, by=by))

    async def keys(self) -> list[AccessKey]:
        """The account’s keys, newest first; their secrets nobody sees again."""
        return await self.run(self._api.keys())

    async def export(self, to: Target) -> Path:
        """A copy of everything that is held about you, into a ZIP."""
        return await self.run(self._api.export(to))

    async def public_keys(self) -> bytes:
        """The site’s public keys, by which receipts are checked."""
        return await self.run(self._api.public_keys())

    async def run(self, plan: Plan[T]) -> T:
        """Carry a plan out; what it returns."""
        course = Course(plan)
        async for _ in self._steps(course):
            pass
        return course.value

    def each(self, plan: Plan[None]) -> AsyncGenerator[Any, None]:
        """Carry a plan out as far as is wanted; what it emits."""
        return self._steps(Course(plan))

    async def _steps(self, course: Course[Any]) -> AsyncGenerator[Any, None]:
        wire = _Wire(self._http)
        try:
            while course.step is not None:
                if isinstance(course.step, Emit):
                    yield course.step.value
                    course.done(None)
                    continue
                try:
                    result = await wire.carry_out(course.step)
                except httpx.RequestError as error:
                    course.failed(http.not_connected(error, self.settings))
                else:
                    course.done(result)
        finally:
            course.close()
            await wire.close()


class AsyncJobs:
    """``client.jobs``: one step at a time."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._api = client._api

    async def create(
        self,
        photo: Source,
        *,
        left: Source | None = None,
        behind: Source | None = None,
        right: Source | None = None,
        idempotency_key: str = "",
        **wishes: Unpack[Wishes],
    ) -> Job:
        """Send a photo. Sending it again under the same ``idempotency_key`` gives the same job and costs nothing."""
        return await self._client.run(
            self._api.create(photo, wishes, left=left, behind=behind, right=right, idempotency_key=idempotency_key)
        )

    async def get(self, job_id: str) -> Job:
        """How a job stands."""
        return await self._client.run(self._api.job(job_id))

    async def wait(self, job_id: str, timeout: float | None = None) -> Job:
        """The job once it is ready or over. Raises ``TimedOut``."""
        return await self._client.run(self._api.wait(job_id, timeout))

    def events(self, job_id: str) -> AsyncGenerator[Job, None]:
        """The job as it is and after each change, until it is over."""
        return self._client.each(self._api.events(job_id))

    async def cancel(self, job_id: str) -> Job:
        """Stop a job; before its model is ready, this costs nothing."""
        return await self._client.run(self._api.cancel(job_id))

    async def asset(self, job_id: str, to: Target) -> Path:
        """Fetch the model into a file, which is there whole or not at all."""
        return await self._client.run(self._api.asset(job_id, to))

    async def destroy(self, job_id: str) -> Job:
        """You have the model: the site destroys what it still holds, at once."""
        return await self._client.run(self._api.destroy(job_id))

    async def finish(self, job: Job, to: Target) -> Job:
        """Fetch the model of a job that is ready, and have everything destroyed. Raises ``JobEnded``."""
        return await self._client.run(self._api.finish(job, to))

    async def receipt(self, job_id: str) -> Receipt:
        """The signed receipt of a job that is over."""
        return await self._client.run(self._api.receipt(job_id))

    def list(self, state: str = "") -> AsyncGenerator[Job, None]:
        """The account’s jobs, newest first, whoever sent them."""
        return self._client.each(self._api.jobs(state=state))


class _Wire:
    """Carries single steps out; holds the body that is open."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._open: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] = _nothing()

    async def carry_out(self, step: Step) -> Any:
        """What came of it. Raises ``httpx.RequestError``."""
        match step:
            case Send(request):
                return http.answer(await self._send(request))
            case Open(request):
                return await self._opened(request)
            case Read():
                return await anext(self._pieces, b"")
            case Close():
                return await self.close()
            case Sleep(seconds):
                return await asyncio.sleep(seconds)
        raise TypeError(step)

    async def _send(self, request: Request, *, stream: bool = False) -> httpx.Response:
        return await self._client.send(self._client.build_request(**http.arguments(request)), stream=stream)

    async def _opened(self, request: Request) -> Answer:
        await self.close()
        self._open = await self._send(request, stream=True)
        if self._open.is_success:
            self._pieces = self._open.aiter_bytes()
            return http.answer(self._open, body=False)
        await self._open.aread()
        return http.answer(self._open)

    async def close(self) -> None:
        """Close the body that is open."""
        if self._open is not None:
            await self._open.aclose()
        self._open, self._pieces = None, _nothing()


async def _nothing() -> AsyncIterator[bytes]:
    pieces: tuple[bytes, ...] = ()
    for piece in pieces:
        yield piece
