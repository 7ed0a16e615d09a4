"""The client that waits: each method comes back when it is done."""

from __future__ import annotations

import time
from collections.abc import Iterator
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


class Client:
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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.settings = settings.found(url, key, insecure=insecure)
        self._http = httpx.Client(transport=transport, **http.options(self.settings))
        self._api = Api(Patience(patience))
        self.jobs = Jobs(self)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def generate(self, photo: Source, to: Target, *, timeout: float | None = None, **wishes: Unpack[Wishes]) -> Job:
        """A photo in, a model in the file ``to``, and nothing left at the site.

        Raises ``JobEnded`` when there is no model, and ``TimedOut`` while there may still be one.
        """
        return self.run(self._api.generate(photo, to, wishes, timeout=timeout))

    def providers(self) -> list[Provider]:
        """Who could receive a photo now, the best first."""
        return self.run(self._api.providers())

    def balance(self) -> Balance:
        """What there is to spend."""
        return self.run(self._api.balance())

    def ledger(self, only: Literal["", "bought", "spent", "returned"] = "") -> Iterator[Line]:
        """The ledger’s lines, newest first."""
        return self.each(self._api.ledger(only=only))

    def usage(self, start: str = "", end: str = "", by: str = "") -> Usage:
        """How much was used from a day to a day (``2026-01-31``), by ``day``, ``key``, ``endpoint`` or ``provider``."""
        return self.run(self._api.usage(start=start, end=end, by=by))

    def keys(self) -> list[AccessKey]:
        """The account’s keys, newest first; their secrets nobody sees again."""
        return self.run(self._api.keys())

    def export(self, to: Target) -> Path:
        """A copy of everything that is held about you, into a ZIP."""
        return self.run(self._api.export(to))

    def public_keys(self) -> bytes:
        """The site’s public keys, by which receipts are checked."""
        return self.run(self._api.public_keys())

    def run(self, plan: Plan[T]) -> T:
        """Carry a plan out; what it returns."""
        course = Course(plan)
        for _ in self._steps(course):
            pass
        return course.value

    def each(self, plan: Plan[None]) -> Iterator[Any]:
        """Carry a plan out as far as is wanted; what it emits."""
        return self._steps(Course(plan))

    def _steps(self, course: Course[Any]) -> Iterator[Any]:
        wire = _Wire(self._http)
        try:
            while course.step is not None:
                if isinstance(course.step, Emit):
                    yield course.step.value
                    course.done(None)
                    continue
                try:
                    result = wire.carry_out(course.step)
                except httpx.RequestError as error:
                    course.failed(http.not_connected(error, self.settings))
                else:
                    course.done(result)
        finally:
            course.close()
            wire.close()


class Jobs:
    """``client.jobs``: one step at a time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._api = client._api

    def create(
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
        return self._client.run(
            self._api.create(photo, wishes, left=left, behind=behind, right=right, idempotency_key=idempotency_key)
        )

    def get(self, job_id: str) -> Job:
        """How a job stands."""
        return self._client.run(self._api.job(job_id))

    def wait(self, job_id: str, timeout: float | None = None) -> Job:
        """The job once it is ready or over. Raises ``TimedOut``."""
        return self._client.run(self._api.wait(job_id, timeout))

    def events(self, job_id: str) -> Iterator[Job]:
        """The job as it is and after each change, until it is over."""
        return self._client.each(self._api.events(job_id))

    def cancel(self, job_id: str) -> Job:
        """Stop a job; before its model is ready, this costs nothing."""
        return self._client.run(self._api.cancel(job_id))

    def asset(self, job_id: str, to: Target) -> Path:
        """Fetch the model into a file, which is there whole or not at all."""
        return self._client.run(self._api.asset(job_id, to))

    def destroy(self, job_id: str) -> Job:
        """You have the model: the site destroys what it still holds, at once."""
        return self._client.run(self._api.destroy(job_id))

    def finish(self, job: Job, to: Target) -> Job:
        """Fetch the model of a job that is ready, and have everything destroyed. Raises ``JobEnded``."""
        return self._client.run(self._api.finish(job, to))

    def receipt(self, job_id: str) -> Receipt:
        """The signed receipt of a job that is over."""
        return self._client.run(self._api.receipt(job_id))

    def list(self, state: str = "") -> Iterator[Job]:
        """The account’s jobs, newest first, whoever sent them."""
        return self._client.each(self._api.jobs(state=state))


class _Wire:
    """Carries single steps out; holds the body that is open."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._open: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())

    def carry_out(self, step: Step) -> Any:
        """What came of it. Raises ``httpx.RequestError``."""
        match step:
            case Send(request):
                return http.answer(self._send(request))
            case Open(request):
                return self._opened(request)
            case Read():
                return next(self._pieces, b"")
            case Close():
                return self.close()
            case Sleep(seconds):
                return time.sleep(seconds)
        raise TypeError(step)

    def _send(self, request: Request, *, stream: bool = False) -> httpx.Response:
        return self._client.send(self._client.build_request(**http.arguments(request)), stream=stream)

    def _opened(self, request: Request) -> Answer:
        self.close()
        self._open = self._send(request, stream=True)
        if self._open.is_success:
            self._pieces = self._open.iter_bytes()
            return http.answer(self._open, body=False)
        self._open.read()
        return http.answer(self._open)

    def close(self) -> None:
        """Close the body that is open."""
        if self._open is not None:
            self._open.close()
        self._open, self._pieces = None, iter(())
