"""How sealed bytes are opened: segment by segment, none given out before it has proved to be what was sealed there.

Tink's streaming AEAD writes them (``crypto.py``); its reader in Python keeps the interpreter's lock while it opens, and
takes five times the processor time. So its format, AES-GCM-HKDF, is read here with AES and HKDF of ``cryptography``:

* first a header: its own length (1 byte), a salt as long as the derived key, and what all nonces begin with (7 bytes);
* the whole is cut into segments of a length that the key says; only the first, with the header, and the last are
  shorter inside. Each ends with its tag (16 bytes);
* segments are sealed by AES-GCM with a key that HKDF derives from the blob's, the salt and the associated data. A
  nonce ends with the segment's number (4 bytes) and whether it is the last (1 byte): so none can be left out, moved,
  repeated or added.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from tink.proto.aes_gcm_hkdf_streaming_pb2 import AesGcmHkdfStreamingKey
from tink.proto.common_pb2 import SHA256 as BY_SHA256

from privacy.errors import Tampered, Unavailable
from privacy.stores import ObjectReader

PREFIX_BYTES: Final = 7
TAG_BYTES: Final = 16
RUN_BYTES: Final = 512 * 1024
"""How much is read and opened at a time, in whole segments; one, where they are longer."""


class Opening:
    """The plaintext of ``size`` sealed bytes that ``source`` gives: a run is held, which may wait, and then opened."""

    def __init__(self, key: AesGcmHkdfStreamingKey, associated: bytes, source: ObjectReader, size: int) -> None:
        params = key.params
        if params.hkdf_hash_type != BY_SHA256:
            raise ValueError("Keys are derived by HKDF with SHA-256.")
        self._key, self._associated, self._source = key.key_value, associated, source
        self._derived_bytes: int = params.derived_key_size
        self._segment_bytes: int = params.ciphertext_segment_size
        # One piece of memory for all runs: to be given a fresh one costs as much as to open what is read into it.
        self._room = memoryview(bytearray(min(size, max(1, RUN_BYTES // self._segment_bytes) * self._segment_bytes)))
        self._held = self._room[:0]
        self._number = 0
        self._prefix = b""
        self._cipher: AESGCM | None = None
        self.left = size
        """How much of the source was not held yet."""

    def hold(self) -> None:
        """Read the next run of segments, unless one is held. Raises ``Tampered`` or ``Unavailable``."""
        if self._held:
            return
        wanted = got = min(len(self._room), self.left)
        while wanted:
            try:
                read = self._source.readinto(self._room[got - wanted : got])
            except OSError as error:
                raise Unavailable(f"The store failed while reading ({type(error).__name__}).") from None
            if not read:
                raise Tampered("The object is shorter than what was sealed.")
            wanted -= read
        self._held = self._room[:got]
        self.left -= got

    def read(self) -> list[bytes]:
        """The plaintext of what is held, or of the next run, by segments; none at the end.

        Raises ``Tampered`` or ``Unavailable``.
        """
        self.hold()
        run, self._held = self._held, self._room[:0]
        start = 0 if self._cipher else self._begin(run)
        assert self._cipher
        opened = []
        for end in range(self._segment_bytes, len(run) + self._segment_bytes, self._segment_bytes):
            last = not self.left and end >= len(run)
            nonce = self._prefix + self._number.to_bytes(4, "big") + bytes([last])
            try:
                opened.append(self._cipher.decrypt(nonce, run[start:end], None))
            except InvalidTag:
                raise Tampered("The object is not what was sealed.") from None
            start, self._number = end, self._number + 1
        return opened

    def _begin(self, run: memoryview) -> int:
        """Derive the key by the header; how long that is."""
        length = 1 + self._derived_bytes + PREFIX_BYTES
        if len(run) < length + TAG_BYTES or run[0] != length:
            raise Tampered("The object does not begin as what was sealed.")
        salt = bytes(run[1 : 1 + self._derived_bytes])
        self._prefix = bytes(run[1 + self._derived_bytes : length])
        derive = HKDF(algorithm=SHA256(), length=self._derived_bytes, salt=salt, info=self._associated)
        self._cipher = AESGCM(derive.derive(self._key))
        return length
