"""What Tink has sealed opens to the same bytes here as by Tink's own reader; and what it refuses, we refuse."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import pytest
import tink
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

from privacy import crypto
from privacy.errors import Tampered, Unavailable
from privacy.opening import RUN_BYTES, Opening

HEADER, TAG = 40, 16
ABOUT = b"which blob it is"


class Sealed:
    """Bytes sealed by Tink, with a key of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, segment: int, size: int) -> None:
        monkeypatch.setattr(crypto, "SEGMENT_BYTES", segment)
        handle = tink.new_keyset_handle(crypto._template())
        keyset = tink_pb2.Keyset.FromString(tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
        self.primitive = handle.primitive(streaming_aead.StreamingAead)
        self.key = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey.FromString(keyset.key[0].key_data.value)
        self.data = os.urandom(size)
        into = Kept()
        with self.primitive.new_encrypting_stream(cast(BinaryIO, into), ABOUT) as stream:
            stream.write(self.data)
        self.bytes = into.getvalue()

    def by_tink(self, changed: bytes, about: bytes = ABOUT) -> bytes:
        """Raises ``tink.TinkError``."""
        return cast(bytes, self.primitive.new_decrypting_stream(io.BytesIO(changed), about).read())

    def opening(self, changed: bytes, about: bytes = ABOUT) -> Opening:
        """By ours."""
        return Opening(self.key, about, io.BytesIO(changed), len(changed))


class Kept(io.BytesIO):
    """What it holds can be had after it was closed."""

    def close(self) -> None:
        """Not now."""


def whole(opening: Opening) -> bytes:
    return b"".join(pieces(opening))


def pieces(opening: Opening) -> list[bytes]:
    return [piece for run in iter(opening.read, []) for piece in run]


def first(segment: int) -> int:
    """How much plaintext the first segment holds."""
    return segment - HEADER - TAG


@pytest.mark.parametrize("segment", [4096, 65_536, 1_048_576])
@pytest.mark.parametrize("segments", [0, 1, 2, 8, 9])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_it_opens_as_by_tink(monkeypatch: pytest.MonkeyPatch, segment: int, segments: int, more: int) -> None:
    """Around each end of a segment, and of a run of them."""
    size = max(0, first(segment) + (segments - 1) * (segment - TAG) + more) if segments else max(0, more)
    sealed = Sealed(monkeypatch, segment, size)
    assert whole(sealed.opening(sealed.bytes)) == sealed.data == sealed.by_tink(sealed.bytes)


def test_a_run_of_segments_is_opened_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = Sealed(monkeypatch, 4096, 3 * RUN_BYTES)
    opening = sealed.opening(sealed.bytes)
    runs = list(iter(opening.read, []))
    assert {len(run) for run in runs[:-1]} == {RUN_BYTES // 4096}
    assert {len(piece) for run in runs for piece in run[1:-1]} == {4096 - TAG}
    assert opening.read() == []


def moved(sealed: bytes) -> bytes:
    """The second and third segment in each other's place."""
    return sealed[:4096] + sealed[8192:12_288] + sealed[4096:8192] + sealed[12_288:]


WRONG: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda sealed: b"",
    "a header alone": lambda sealed: sealed[:HEADER],
    "less than a tag": lambda sealed: sealed[: HEADER + TAG - 1],
    "no last segment": lambda sealed: sealed[: 16 * 4096],
    "no end": lambda sealed: sealed[:-1],
    "no tag at the end": lambda sealed: sealed[:-TAG],
    "a segment left out": lambda sealed: sealed[:4096] + sealed[8192:],
    "a segment twice": lambda sealed: sealed[:8192] + sealed[4096:],
    "segments moved": moved,
    "the last segment twice": lambda sealed: sealed + sealed[16 * 4096 :],
    "more at the end": lambda sealed: sealed + bytes(4096),
    "one byte more": lambda sealed: sealed + b"\0",
    "no beginning": lambda sealed: sealed[1:],
    "all of it twice": lambda sealed: sealed * 2,
}


@pytest.mark.parametrize("how", WRONG)
def test_what_tink_refuses_is_refused(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    sealed = Sealed(monkeypatch, 4096, 16 * 4096 + 1000)
    changed = WRONG[how](sealed.bytes)
    with pytest.raises(tink.TinkError):
        sealed.by_tink(changed)
    with pytest.raises(Tampered):
        whole(sealed.opening(changed))


def test_any_byte_that_differs_is_found_before_its_segment_is_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """In all of the header; at each end and in the middle of each segment; and never a byte that was not sealed."""
    monkeypatch.setattr("privacy.opening.RUN_BYTES", 4096)
    sealed = Sealed(monkeypatch, 4096, 3 * 4096)
    edges = [edge for start in range(4096, len(sealed.bytes), 4096) for edge in (start - 1, start, start + 2048)]
    for place in [*range(HEADER), HEADER, *edges, len(sealed.bytes) - 1]:
        changed = bytearray(sealed.bytes)
        changed[min(place, len(changed) - 1)] ^= 0x10
        got: list[bytes] = []
        with pytest.raises(Tampered):
            got.extend(piece for run in iter(sealed.opening(bytes(changed)).read, []) for piece in run)
        assert sealed.data.startswith(b"".join(got))
        assert sum(map(len, got)) <= place


def test_another_blobs_bytes_do_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = Sealed(monkeypatch, 4096, 1000)
    with pytest.raises(tink.TinkError):
        sealed.by_tink(sealed.bytes, b"another")
    with pytest.raises(Tampered):
        whole(sealed.opening(sealed.bytes, b"another"))


def test_a_source_that_gives_little_at_a_time_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = Sealed(monkeypatch, 65_536, 200_000)

    class Slow(io.BytesIO):
        fails = False

        def readinto(self, into: Any) -> int:
            if self.fails:
                raise OSError(5, "of no concern to whoever reads")
            return super().readinto(into[:10_007])

    assert whole(Opening(sealed.key, ABOUT, Slow(sealed.bytes), len(sealed.bytes))) == sealed.data
    away = Slow(sealed.bytes)
    away.fails = True
    with pytest.raises(Unavailable, match="OSError"):
        Opening(sealed.key, ABOUT, away, len(sealed.bytes)).read()


def test_keys_derived_otherwise_are_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = Sealed(monkeypatch, 4096, 10)
    sealed.key.params.hkdf_hash_type = common_pb2.SHA512
    with pytest.raises(ValueError, match="SHA-256"):
        sealed.opening(sealed.bytes)
