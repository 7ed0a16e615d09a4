"""How bytes are sealed: each blob by its own random key, each key wrapped by a master key.

The format is Google Tink's streaming AEAD (AES-256-GCM, keys by HKDF-SHA256, segments of 64 kB), with the blob's id as
associated data, so that one blob's bytes cannot stand in for another's. Tink writes it; ``opening.py`` reads it. How
long segments are is a part of each key, so what was sealed with others opens, too. Master keys come from
``settings.MASTER_KEYS`` (``named_keys.py`` says how they are written): the first one wraps, all of them unwrap, so
rotating means putting a new one in front and dropping the old one two days later.
"""

from functools import lru_cache
from typing import BinaryIO, Final, cast
from uuid import UUID

import tink
from django.conf import settings
from tink import aead, secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, aes_gcm_pb2, common_pb2, tink_pb2

from privacy import named_keys
from privacy.errors import KeyLost
from privacy.named_keys import NamedKey
from privacy.opening import Opening
from privacy.stores import ObjectReader

aead.register()
streaming_aead.register()

SEGMENT_BYTES: Final = 64 * 1024
_KEY_BYTES: Final = 32


def _template() -> tink_pb2.KeyTemplate:
    """As Tink's own AES256_GCM_HKDF_4KB and _1MB but for the segments' length."""
    wanted = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKeyFormat(key_size=_KEY_BYTES)
    wanted.params.hkdf_hash_type = common_pb2.SHA256
    wanted.params.derived_key_size = _KEY_BYTES
    wanted.params.ciphertext_segment_size = SEGMENT_BYTES
    return tink_pb2.KeyTemplate(
        type_url="type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
        value=wanted.SerializeToString(),
        output_prefix_type=tink_pb2.RAW,
    )


@lru_cache(maxsize=8)
def _master_keys(text: str) -> dict[str, NamedKey]:
    return named_keys.parse("MASTER_KEYS", text)


@lru_cache(maxsize=64)
def _master(entry: NamedKey) -> aead.Aead:
    return _aead(entry.key())


def _aead(key: bytes) -> aead.Aead:
    keyset = tink_pb2.Keyset(primary_key_id=1)
    entry = keyset.key.add(key_id=1, status=tink_pb2.ENABLED, output_prefix_type=tink_pb2.RAW)
    entry.key_data.type_url = "type.googleapis.com/google.crypto.tink.AesGcmKey"
    entry.key_data.value = aes_gcm_pb2.AesGcmKey(key_value=key).SerializeToString()
    entry.key_data.key_material_type = tink_pb2.KeyData.SYMMETRIC
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(aead.Aead)


def active_master_key() -> str:
    """The id of the master key that wraps new blob keys."""
    return next(iter(_master_keys(settings.MASTER_KEYS)))


def new_blob_key(blob_id: UUID) -> bytes:
    """A fresh random key for one blob, wrapped by the active master key and bound to the blob's id.

    Raises ``Unavailable`` when a key service is to open the master key and does not.
    """
    handle = tink.new_keyset_handle(_template())
    master = _master(_master_keys(settings.MASTER_KEYS)[active_master_key()])
    return cast(bytes, tink.proto_keyset_format.serialize_encrypted(handle, master, blob_id.bytes))


def _handle(blob_id: UUID, wrapped: bytes, master_key: str) -> tink.KeysetHandle:
    entry = _master_keys(settings.MASTER_KEYS).get(master_key)
    if entry is None:
        raise KeyLost("The master key that wrapped this blob's key is not configured.")
    master = _master(entry)
    try:
        return tink.proto_keyset_format.parse_encrypted(wrapped, master, blob_id.bytes)
    except tink.TinkError:
        raise KeyLost("The blob's key does not open with its master key.") from None


def encrypting_stream(blob_id: UUID, wrapped: bytes, master_key: str, sink: BinaryIO) -> BinaryIO:
    """A writable stream that seals into ``sink``; closing it writes the final frame, without which nothing opens.

    Leaving it by an exception, or collecting it as garbage, closes it too: make ``sink`` a dead end first.
    Raises ``KeyLost`` or ``Unavailable``.
    """
    primitive = _handle(blob_id, wrapped, master_key).primitive(streaming_aead.StreamingAead)
    return cast(BinaryIO, primitive.new_encrypting_stream(sink, blob_id.bytes))


def opening(blob_id: UUID, wrapped: bytes, master_key: str, source: ObjectReader, size: int) -> Opening:
    """What opens the ``size`` bytes that ``source`` gives. Raises ``KeyLost`` or ``Unavailable``."""
    handle = _handle(blob_id, wrapped, master_key)
    keyset = tink_pb2.Keyset.FromString(tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN))
    key = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey.FromString(keyset.key[0].key_data.value)
    return Opening(key, blob_id.bytes, source, size)
