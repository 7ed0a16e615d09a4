"""The provider on the page about providers works as it stands there: one file, put where an outside package has it."""

from __future__ import annotations

import re
import sys

import pytest

from generation import registry
from generation.models import Job
from generation.options import JobOptions
from privacy.models import Receipt
from sandbox.providers.simulator import Answer, Request, Simulator, route
from tests.environment import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


class Vendor(Simulator):
    """What the imaginary vendor's documents would say."""

    @route("POST", "/models", "create")
    def create(self, request: Request) -> Answer:
        """Take a photo."""
        form = request.form()
        (photo,) = form["photo"]
        assert isinstance(photo, bytes)
        return Answer(201, {"id": self.call([photo], **{name: form[name][0] for name in ("faces", "level")}).id})

    @route("GET", "/models/([^/]+)", "poll")
    def read(self, request: Request, id: str) -> Answer | dict[str, object]:
        """How a call is doing."""
        call = self.calls[id]
        if call.erased:
            return Answer(404)
        if not self.done(call):
            return {"state": "working", "percent": self.percent(call)}
        return {"state": "done", "file": f"{self.files}/{id}.glb"}

    @route("DELETE", "/models/([^/]+)", "erase")
    def delete(self, request: Request, id: str) -> Answer:
        """Remove it."""
        self.calls[id].erased = True
        return Answer(204)

    @route("GET", r"/([^/]+)\.glb", "fetch")
    def download(self, request: Request, id: str) -> Answer:
        """The file."""
        return Answer(404) if self.calls[id].erased else self.file(self.calls[id])


def test_the_example_makes_a_model(tmp_path, monkeypatch, settings, job_for, run) -> None:
    from tests.generation.conftest import mesh

    code = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "providers.md").read_text(), re.DOTALL)
    assert code
    (tmp_path / "a_package_from_outside.py").write_text(code[1])
    monkeypatch.syspath_prepend(tmp_path)
    with Vendor() as vendor:
        vendor.behaviour.mesh = mesh()
        settings.PROVIDERS = ["a_package_from_outside:Example"]
        settings.PROVIDER_ENVIRONMENT = {"EXAMPLE_KEY": vendor.key, "EXAMPLE_URL": f"{vendor.url} {vendor.files}"}
        assert [card.label for card in registry.cards()] == ["Example"]
        job = run(job_for("example", quality="high", options=JobOptions(target_triangles=5000)))
        assert job.outcome == Job.Outcome.DONE
        (call,) = vendor.calls.values()
        assert call.asked == {"faces": "5000", "level": "high"}
        assert call.erased
    (line,) = Receipt.objects.get(group=job.pk).document["receipt"]["elsewhere"]
    assert (line["provider"], line["result"]) == ("example", "erased")
    sys.modules.pop("a_package_from_outside")
