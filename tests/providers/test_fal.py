"""What is particular about fal: its models' words, addresses, late failures, proof of deletion, signed webhooks."""

from __future__ import annotations

import base64
import io
import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import fal_client
import fal_client.client
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from generation import fal_queue
from generation.options import JobOptions
from generation.provider import (
    Brief,
    Declined,
    Erased,
    Failed,
    Finished,
    Forged,
    Hooked,
    Misconfigured,
    Pending,
    Provider,
    Remote,
    Unavailable,
    Unclear,
)
from generation.providers.fal import PROVIDERS
from sandbox.providers.fal import FalSimulator
from tests.providers.conftest import cut_out
from tests.providers.stand_fal import environment

KINDS = {kind.card.name: kind for kind in PROVIDERS}
MESH = b"glTF\x02\x00\x00\x00\x10\x00\x00\x00mesh"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def running() -> Iterator[FalSimulator]:
    """The stand-in, whose calls are done at once."""
    with FalSimulator() as simulator:
        simulator.behaviour.mesh, simulator.behaviour.polls = MESH, -1
        yield simulator


@pytest.fixture
def made(running: FalSimulator) -> Iterator[Callable[..., Any]]:
    """``made(card name, admin=…)``: the provider, pointed at the stand-in."""
    with httpx.Client() as http:

        def make(name: str = "fal-trellis", *, admin: bool = False, **other: str) -> Any:
            setup = {key: value.split()[0] for key, value in environment(admin=admin)(running).items()}
            return KINDS[name](http, setup | other)

        yield make


def submitted(
    provider: Provider, *, views: tuple[str, ...] = ("front",), quality: str = "standard", **more: Any
) -> Remote:
    """A call on the photos of these views."""
    images = {view: cut_out((40 * at + 40, 60, 60)) for at, view in enumerate(views)}
    answer = provider.submit(Brief(images=images, quality=quality, key="k", **more))
    assert isinstance(answer, Remote)
    json.dumps(answer.extra)
    return answer


def over_mock(results: Mapping[str, Any], name: str = "fal-trellis", **setup: str) -> Any:
    """A provider whose service says this, by method and end of the path: an object, or a status."""

    def answer(request: httpx.Request) -> httpx.Response:
        for end, said in results.items():
            method, _, path = end.partition(" ")
            if request.method == method and request.url.path.endswith(path):
                return httpx.Response(said) if isinstance(said, int) else httpx.Response(200, json=said)
        return httpx.Response(404)

    return KINDS[name](httpx.Client(transport=httpx.MockTransport(answer)), {"FAL_KEY": "k"} | setup)


CALL = Remote(
    "r1",
    {
        "status": "a/b/requests/r1/status",
        "response": "a/b/requests/r1",
        "cancel": "a/b/requests/r1/cancel",
        "began": "2026-11-25T12:00:00+00:00",
    },
)
DONE = {"GET /status": {"status": "COMPLETED", "logs": None}}


# Submitting


@pytest.mark.parametrize(
    ("name", "quality", "texture", "asked"),
    [
        ("fal-trellis", "draft", True, {"texture_size": 512, "mesh_simplify": 0.98}),
        ("fal-trellis", "high", True, {"texture_size": 2048, "mesh_simplify": 0.9}),
        ("fal-trellis-2", "draft", True, {"resolution": 512, "texture_size": 1024, "decimation_target": 100_000}),
        ("fal-trellis-2", "high", True, {"resolution": 1536, "texture_size": 4096, "decimation_target": 500_000}),
        ("fal-triposr", "standard", True, {"output_format": "glb", "do_remove_background": True, "mc_resolution": 256}),
        ("fal-hunyuan3d", "draft", True,
         {"octree_resolution": 192, "num_inference_steps": 20, "textured_mesh": True}),
        ("fal-hunyuan3d", "high", False,
         {"octree_resolution": 384, "num_inference_steps": 50, "textured_mesh": False}),
        ("fal-rodin", "high", True,
         {"geometry_file_format": "glb", "material": "PBR", "tier": "Regular", "quality": "high"}),
    ],
)  # fmt: skip
def test_each_model_is_asked_in_its_own_words(running, made, name, quality, texture, asked) -> None:
    provider = made(name)
    remote = submitted(provider, quality=quality, options=JobOptions(texture=texture))
    (call,) = running.calls.values()
    ours = {"path", "wrong", "expires", "stored"}
    assert {key: value for key, value in call.asked.items() if key not in ours} == asked
    assert call.asked["wrong"] == []
    assert provider.poll(remote) == Finished()
    assert b"".join(provider.fetch(remote)) == MESH


def test_nothing_is_stored_and_what_is_made_goes_within_the_hour(running, made) -> None:
    for name in KINDS:
        submitted(made(name))
        sent = running.requests[-1]
        assert sent.headers["x-fal-store-io"] == "0"
        assert json.loads(sent.headers["x-fal-object-lifecycle-preference"]) == {"expiration_duration_seconds": 3600}
        assert sent.headers["x-fal-request-timeout"] == "600"
        assert sent.headers.get("x-fal-no-retry") == ("1" if name == "fal-rodin" else None)
        assert sent.query == {}


@pytest.mark.parametrize(("name", "side"), [("fal-trellis", 1024), ("fal-rodin", 2048)])
def test_photos_are_no_larger_than_the_model_makes_use_of(running, made, name, side) -> None:
    large = io.BytesIO()
    Image.new("RGBA", (2500, 1250), (200, 60, 40, 255)).save(large, "PNG")
    made(name).submit(Brief(images={"front": large.getvalue()}, quality="draft", key="k"))
    (call,) = running.calls.values()
    with Image.open(io.BytesIO(call.photos[0])) as picture:
        assert picture.size == (side, side // 2)
        assert picture.format == "PNG"


def test_several_photos_go_to_the_endpoint_for_several(running, made) -> None:
    views = ("front", "left", "back", "right")
    one, several = submitted(made()), submitted(made(), views=views)
    rodin = submitted(made("fal-rodin"), views=views)
    assert running.calls[one.id].asked["path"] == "fal-ai/trellis"
    assert running.calls[several.id].asked["path"] == "fal-ai/trellis/multi"
    assert [len(running.calls[remote.id].photos) for remote in (one, several, rodin)] == [1, 4, 4]
    assert running.calls[several.id].asked["wrong"] == running.calls[rodin.id].asked["wrong"] == []
    assert several.extra["status"] == f"fal-ai/trellis/requests/{several.id}/status"


@pytest.mark.parametrize("elsewhere", ["https://queue.falrun.com", "http://127.0.0.1:9", "http://evil.example"])
def test_addresses_on_another_host_are_not_followed(running, made, elsewhere) -> None:
    running.elsewhere = elsewhere
    provider = made("fal-hunyuan3d")
    remote = submitted(provider)
    assert remote.extra["response"] == f"fal-ai/hunyuan3d/requests/{remote.id}"
    assert remote.extra["cancel"] == f"fal-ai/hunyuan3d/requests/{remote.id}/cancel"
    assert provider.poll(remote) == Finished()
    assert b"".join(provider.fetch(remote)) == MESH
    assert not any(elsewhere in str(value) for value in remote.extra.values())


def test_an_address_that_only_looks_like_the_service_is_another_host() -> None:
    answer = {
        "request_id": "../r 1",
        "status_url": "https://queue.fal.run.evil.example/s",
        "response_url": "https://queue.fal.run@evil.example/",
        "cancel_url": "https://queue.fal.run/x/y/requests/z/cancel",
    }
    remote = submitted(over_mock({"POST trellis": answer}))
    assert remote.id == "../r 1"
    assert remote.extra["status"] == "fal-ai/trellis/requests/..%2Fr%201/status"
    assert remote.extra["response"] == "fal-ai/trellis/requests/..%2Fr%201"
    assert remote.extra["cancel"] == "x/y/requests/z/cancel"


def test_an_answer_without_an_id_leaves_open_what_became_of_the_call() -> None:
    with pytest.raises(Unclear):
        submitted(over_mock({"POST trellis": {"status": "IN_QUEUE", "request_id": 7}}))


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, Misconfigured), (402, Misconfigured), (403, Misconfigured), (404, Declined), (422, Declined),
     (408, Unavailable), (429, Unavailable), (503, Unavailable), (409, Declined), (500, Unclear), (504, Unclear)],
)  # fmt: skip
def test_refusals_of_a_submit(status, error) -> None:
    with pytest.raises(error):
        submitted(over_mock({"POST trellis": status}))


# Polling


def test_it_waits_a_little_longer_each_time(running, made) -> None:
    running.behaviour.polls = 10
    provider = made()
    remote = submitted(provider)
    answers = [provider.poll(Remote(remote.id, remote.extra, polls=polls)) for polls in range(6)]
    waits = [answer.wait for answer in answers if isinstance(answer, Pending)]
    assert waits[0] == 1.5
    assert waits == sorted(waits)
    assert waits[-1] == 5


FAILED = {"GET /status": {"status": "COMPLETED", "logs": None, "error": "x", "error_type": "y"}}
RESULT = {"GET /r1": {"model_glb": {"url": "https://x/y.glb"}}}


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"GET /status": {"status": "IN_HEAVEN"}}, Pending(wait=1.5)),
        ({"GET /status": {"status": "IN_PROGRESS", "error": "warning"}}, Pending(wait=1.5)),
        ({"GET /status": 404}, Failed("provider_lost")),
        (DONE | RESULT, Finished()),
        (DONE | {"GET /r1": 422}, Failed("provider_declined")),
        (DONE | {"GET /r1": 404}, Failed("provider_lost")),
        (DONE | {"GET /r1": 400}, Failed("provider_failed")),
        (DONE | {"GET /r1": {"images": []}}, Failed("provider_failed")),
        (FAILED | {"GET /r1": 422}, Failed("provider_declined")),
        (FAILED | {"GET /r1": 500}, Failed("provider_failed")),
        (FAILED | RESULT, Failed("provider_failed")),
    ],
)
def test_what_the_states_mean(said, outcome) -> None:
    assert over_mock(said).poll(CALL) == outcome


@pytest.mark.parametrize("said", [{"GET /status": 502}, DONE | {"GET /r1": 502}, DONE | {"GET /r1": 429}])
def test_a_service_that_does_not_answer_has_not_failed_the_call(said) -> None:
    with pytest.raises(Unavailable):
        over_mock(said).poll(CALL)


def test_bad_input_shows_when_the_call_is_over_and_is_not_the_service_s_fault(running, made) -> None:
    provider = made()
    remote = submitted(provider)
    running.calls[remote.id].asked["wrong"] = ["image_url"]
    assert provider.poll(remote) == Failed("provider_declined")


def file(name: str = "", kind: str = "application/octet-stream", url: str = "https://v3.fal.media/f") -> dict[str, str]:
    return {"url": f"{url}/{name}", "content_type": kind, "file_name": name}


@pytest.mark.parametrize(
    ("result", "link"),
    [
        ({"model_mesh": file("a.glb"), "model_glb": file("b"), "model_glb_pbr": file("c")}, "c"),
        ({"model_mesh": file("a.glb"), "model_glb": file("b"), "model_urls": {"glb": file("d")}}, "b"),
        ({"model_mesh": file("a.glb"), "model_glb": None, "model_urls": {"glb": file("d")}}, "a.glb"),
        ({"model_mesh": file("A.GLB")}, "A.GLB"),
        ({"model_mesh": file("a", "model/gltf-binary")}, "a"),
        ({"model_mesh": {"url": "https://v3.fal.media/f/a.glb?x=1"}}, "a.glb?x=1"),
        ({"model_mesh": file("a.zip", "application/zip"), "model_urls": {"glb": file("d")}}, "d"),
        ({"model_mesh": file("a.obj")}, ""),
        ({"model_mesh": ["a.glb"], "model_urls": "x"}, ""),
    ],
)
def test_which_of_a_result_s_files_is_taken(result, link) -> None:
    found = over_mock({"GET /r1": result})._link(CALL)
    assert found == (f"https://v3.fal.media/f/{link}" if link else "")


def test_a_result_that_lost_its_file_is_asked_for_again(running, made) -> None:
    with pytest.raises(Unavailable):
        b"".join(over_mock({"GET /r1": {}}).fetch(CALL))
    provider = made()
    remote = submitted(provider)
    running.later = 3601
    with pytest.raises(Unavailable):
        b"".join(provider.fetch(remote))


# Erasing


def test_without_an_administrator_s_key_copies_go_by_themselves(running, made) -> None:
    provider = made()
    remote = submitted(provider)
    provider.poll(remote)
    outcome = provider.erase(remote)
    assert outcome.result == Erased.EXPIRES
    assert outcome == provider.erase(remote)
    assert not any(request.method == "DELETE" for request in running.requests)
    assert running._kept(remote.id)
    # A call that began as late as it may and took its time is still gone when we said.
    assert outcome.at == datetime.fromisoformat(remote.extra["began"]) + timedelta(minutes=80)
    running.later = timedelta(minutes=60).total_seconds()
    assert not running._kept(remote.id)


def test_with_an_administrator_s_key_the_file_is_gone_and_seen_to_be(running, made) -> None:
    provider = made(admin=True)
    remote = submitted(provider)
    assert b"".join(provider.fetch(remote)) == MESH
    assert provider.erase(remote).result == Erased.ERASED
    assert [request.method for request in running.requests][-2:] == ["DELETE", "HEAD"]
    assert not running._kept(remote.id)
    assert provider.erase(remote).result == Erased.ERASED


def test_a_file_that_is_still_there_was_not_erased(running, made) -> None:
    """We ask fal to keep no record, and by that record it finds what to delete."""
    running.remembers = False
    provider = made(admin=True)
    assert provider.erase(submitted(provider)).result == Erased.EXPIRES


def test_a_call_that_runs_on_although_cancelled_was_not_erased(running, made) -> None:
    running.behaviour.polls = 100
    running.obeys = False
    provider = made(admin=True)
    remote = submitted(provider)
    assert provider.erase(remote).result == Erased.EXPIRES
    running.obeys = True
    assert provider.erase(remote).result == Erased.ERASED
    assert running.calls[remote.id].cancelled


def test_a_wrong_administrator_s_key_erases_nothing(running, made) -> None:
    provider = made(admin=True, FAL_ADMIN_KEY="wrong")
    assert provider.erase(submitted(provider)).result == Erased.EXPIRES


@pytest.mark.parametrize(
    ("results", "erased"),
    [
        ([{"link": "https://x/y.glb", "exception": None}], Erased.ERASED),
        ([{"link": "https://x/y.glb", "exception": "timed out"}], Erased.EXPIRES),
        (["odd"], Erased.EXPIRES),
        (None, Erased.ERASED),
    ],
)
def test_what_the_deletion_says_of_each_file_counts(results, erased) -> None:
    said = DONE | RESULT | {"DELETE /r1/payloads": {"cdn_delete_results": results}}
    assert over_mock(said, FAL_ADMIN_KEY="a").erase(CALL).result == erased


def test_a_call_that_nobody_knows_any_more_is_erased(running, made) -> None:
    provider = made(admin=True)
    assert provider.erase(Remote("gone", CALL.extra)).result == Erased.ERASED
    with pytest.raises(Unavailable):
        over_mock({"PUT /cancel": 503}).erase(CALL)


def test_what_is_forwarded_is_out_of_reach_even_when_fal_has_deleted_it(running, made) -> None:
    provider = made("fal-rodin", admin=True)
    remote = submitted(provider)
    assert provider.erase(remote).result == Erased.UNSUPPORTED
    assert running.calls[remote.id].erased
    card = provider.card
    assert (card.keeps, card.can_erase) == (None, False)
    assert "Deemos" in card.operator
    assert "forwarded" in card.evidence


def test_the_licence_bars_regions() -> None:
    card = KINDS["fal-hunyuan3d"].card
    assert card.barred == {"EU", "GB", "KR"}
    assert card.licence
    assert not any(kind.card.barred for name, kind in KINDS.items() if name != "fal-hunyuan3d")


# Webhooks


class Signer:
    """A key of fal's, as it signs and as the key set lists it."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        raw = self.key.public_key().public_bytes_raw()
        self.listed = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}


@pytest.fixture
def signer(running: FalSimulator) -> Signer:
    """A key that the stand-in signs with."""
    signer = Signer()
    running.keys, running.sign = [{"kty": "RSA", "n": "x"}, signer.listed], signer.key.sign
    return signer


def asked_for_keys(running: FalSimulator) -> int:
    return sum(request.path.endswith("jwks.json") for request in running.requests)


def test_a_webhook_is_asked_for_only_where_there_is_somebody_to_hear_it(running, made) -> None:
    submitted(made(), hook="https://here.example/hook?a=1&b=2")
    assert running.requests[-1].query == {"fal_webhook": "https://here.example/hook?a=1&b=2"}
    submitted(made())
    assert running.hooks == ["https://here.example/hook?a=1&b=2", ""]


def test_a_webhook_names_its_call_before_any_poll_and_as_often_as_it_comes(running, made, signer) -> None:
    provider = made()
    remote = submitted(provider, hook="https://here.example/hook")
    assert isinstance(provider, Hooked)
    headers, body = running.webhook(running.calls[remote.id], at=int(NOW.timestamp()))
    for _ in range(3):
        assert provider.heard(headers, body, now=NOW + timedelta(seconds=299)) == remote.id
    assert asked_for_keys(running) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"request-id": "another"}, {"request-id": None}, {"user-id": "another"},
        {"timestamp": "1"}, {"timestamp": "soon"}, {"timestamp": "9" * 400},
        {"timestamp": str(int(NOW.timestamp()) + 1)},
        {"signature": "00" * 64}, {"signature": "no hex"}, {"signature": ""}, {"signature": None},
        {"body": b"{}"}, {"age": 301}, {"age": -301},
    ],
)  # fmt: skip
def test_a_webhook_that_was_tampered_with(running, made, signer, change) -> None:
    provider = made()
    headers, body = running.webhook(running.calls[submitted(provider).id], at=int(NOW.timestamp()))
    now = NOW + timedelta(seconds=change.pop("age", 0))
    body = change.pop("body", body)
    for name, value in change.items():
        headers[f"x-fal-webhook-{name}"] = value
        if value is None:
            del headers[f"x-fal-webhook-{name}"]
    with pytest.raises(Forged):
        provider.heard(headers, body, now=now)


def test_keys_that_change_are_looked_up_at_most_once_a_minute(running, made, signer) -> None:
    provider = made()
    call = running.calls[submitted(provider).id]

    def heard(at: datetime) -> bool:
        headers, body = running.webhook(call, at=int(at.timestamp()))
        try:
            return bool(provider.heard(headers, body, now=at) == call.id)
        except Forged:
            return False

    assert heard(NOW)
    new = Signer()
    running.sign = new.key.sign  # before the key set lists it
    assert not heard(NOW + timedelta(seconds=30))
    assert asked_for_keys(running) == 1
    assert not heard(NOW + timedelta(seconds=61))
    assert asked_for_keys(running) == 2
    running.keys = [new.listed]
    assert not heard(NOW + timedelta(seconds=90))
    assert heard(NOW + timedelta(seconds=122))
    assert asked_for_keys(running) == 3
    running.sign = signer.key.sign  # withdrawn
    assert not heard(NOW + timedelta(seconds=130))


def test_keys_are_not_trusted_for_longer_than_a_day(running, made, signer) -> None:
    provider = made()
    call = running.calls[submitted(provider).id]
    for hours, heard in ((0, True), (23, True), (25, False)):
        at = NOW + timedelta(hours=hours)
        headers, body = running.webhook(call, at=int(at.timestamp()))
        if heard:
            assert provider.heard(headers, body, now=at) == call.id
        else:
            with pytest.raises(Forged):
                provider.heard(headers, body, now=at)
        running.keys = []
    assert asked_for_keys(running) == 2


@pytest.mark.parametrize(
    "listed",
    [503, 404, {}, {"keys": None}, {"keys": [None, {"x": 1}, {"x": "!"}, {"x": "AAAA"}]}, {"keys": {"x": "y"}}],
)
def test_a_key_set_that_is_none_verifies_nothing(listed) -> None:
    provider = over_mock({"GET jwks.json": listed})
    headers = {"request-id": "r", "user-id": "u", "timestamp": str(int(NOW.timestamp())), "signature": "00" * 64}
    with pytest.raises(Forged):
        provider.heard({f"x-fal-webhook-{name}": value for name, value in headers.items()}, b"{}", now=NOW)


# The vendor's own client


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for this machine and its key, in one file: the client speaks nothing but TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "stand-in")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "stand-in.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def hosted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FalSimulator]:
    """The stand-in behind TLS, where the client looks for the queue."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("NO_PROXY", "*")
    with FalSimulator(tls=tls) as simulator:
        simulator.behaviour.mesh = MESH
        # As FAL_QUEUE_RUN_HOST would have it, which is read but once, when the client is imported.
        monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{simulator.url}/")
        yield simulator


PHOTO = fal_client.encode(cut_out(), "image/png")


@pytest.mark.parametrize(
    ("application", "arguments", "name"),
    [
        ("fal-ai/trellis", {"image_url": PHOTO}, "model_mesh"),
        ("fal-ai/trellis/multi", {"image_urls": [PHOTO, PHOTO]}, "model_mesh"),
        ("fal-ai/trellis-2", {"image_url": PHOTO, "resolution": 512}, "model_glb"),
        ("fal-ai/triposr", {"image_url": PHOTO, "mc_resolution": 64}, "model_mesh"),
        ("fal-ai/hunyuan3d/v2", {"input_image_url": PHOTO, "textured_mesh": True}, "model_mesh"),
        ("fal-ai/hyper3d/rodin", {"input_image_urls": [PHOTO], "quality": "low"}, "model_mesh"),
    ],
)
def test_the_vendor_s_client_drives_the_stand_in_through_a_job(hosted, application, arguments, name) -> None:
    client = fal_client.SyncClient(key=hosted.key)
    handle = client.submit(
        application, arguments, webhook_url="https://here.example/hook", start_timeout=60, headers=dict(fal_queue.CALL)
    )
    events = list(handle.iter_events(with_logs=True, interval=0.001))
    match events:
        case [fal_client.Queued(position=3), fal_client.InProgress(logs=[{"message": str()}]), fal_client.Completed()]:
            pass
        case _:
            pytest.fail(repr(events))
    result = handle.get(interval=0.001)
    assert httpx.get(result[name]["url"]).content == MESH
    assert hosted.calls[handle.request_id].photos[0] == cut_out()
    assert hosted.hooks == ["https://here.example/hook"]
    # What the client builds by itself from the whole name leads to the same call.
    assert client.result(application, handle.request_id) == result
    with pytest.raises(fal_client.FalClientHTTPError) as over:
        handle.cancel()
    assert over.value.status_code == 400


def test_the_vendor_s_client_sees_failures_and_cancels(hosted) -> None:
    client = fal_client.SyncClient(key=hosted.key)
    hosted.behaviour.polls = 0
    bad = client.submit("fal-ai/trellis", {"image_url": PHOTO, "texture_size": 1})
    status = bad.status()
    assert isinstance(status, fal_client.Completed)
    assert status.error_type == "invalid_input"
    with pytest.raises(fal_client.FalClientHTTPError) as invalid:
        bad.get(interval=0.001)
    assert invalid.value.status_code == 422
    assert invalid.value.response.json()["detail"][0]["loc"] == ["body", "texture_size"]

    hosted.behaviour.fails = True
    with pytest.raises(fal_client.FalClientHTTPError) as failed:
        client.subscribe("fal-ai/triposr", {"image_url": PHOTO}, interval=0.001)
    assert (failed.value.status_code, failed.value.error_type) == (500, "runner_error")

    hosted.behaviour.fails, hosted.behaviour.polls = False, 1000
    slow = client.submit("fal-ai/trellis", {"image_url": PHOTO})
    slow.cancel()
    assert hosted.calls[slow.request_id].cancelled
    with pytest.raises(fal_client.FalClientHTTPError) as unknown:
        client.submit("fal-ai/nothing", {})
    assert unknown.value.status_code == 404
    with pytest.raises(fal_client.FalClientHTTPError) as wrong:
        fal_client.SyncClient(key="wrong").submit("fal-ai/trellis", {"image_url": PHOTO})
    assert wrong.value.status_code == 401


def test_client_and_adapter_ask_the_same(hosted, made, running) -> None:
    """The adapter's submit differs from the client's in its headers and in nothing else."""
    provider = made()
    submitted(provider, quality="draft")
    ours = running.requests[-1]
    fal_client.SyncClient(key=hosted.key).submit("fal-ai/trellis", ours.json())
    theirs = hosted.requests[-1]
    assert (ours.method, ours.path, ours.json()) == (theirs.method, theirs.path, theirs.json())
    for name in ("authorization", "content-type"):
        assert ours.headers[name] == theirs.headers[name]
