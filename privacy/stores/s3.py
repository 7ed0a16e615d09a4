"""A store in an S3 bucket: an object is uploaded in parts that exist for nobody until they are completed.

Objects are only ever read and written by us: no address of an object is ever handed out. The bucket must not keep
versions (privacy/checks.py refuses it), since a deleted version is not destroyed.
"""

import io
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from privacy.errors import Gone, Unavailable, VersionsKept
from privacy.stores import Opened

# The smallest part that S3 takes; one is held in memory per write.
PART_BYTES = 5 * 1024 * 1024
PIECE_BYTES = 64 * 1024
# Memory of so many parts is kept for the writes that follow.
SPARE_PARTS = 2
_spare: list[mmap.mmap] = []

_ANYBODY = {
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
}
_NO_SUCH_RULE = {"NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy", "NotImplemented", "MethodNotAllowed"}
_MISSING = {"404", "NoSuchKey", "NoSuchUpload", "NotFound"}


@contextmanager
def _told() -> Iterator[None]:
    """Turn the client's errors into ours; the code is enough, and no more of the answer is repeated."""
    try:
        yield
    except ClientError as error:
        raise Unavailable(f"S3 refused ({_code(error)}).") from None
    except (BotoCoreError, HTTPClientError, OSError) as error:
        raise Unavailable(f"S3 could not be reached ({type(error).__name__}).") from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "?"))


class S3Store:
    """Objects in a bucket, below a prefix."""

    def __init__(self, *, bucket: str, prefix: str = "", endpoint: str = "") -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.client: Any = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint or None,
            region_name=None if not endpoint else "us-east-1",
            config=Config(
                connect_timeout=3,
                read_timeout=20,
                # One for each stream under way: what goes beyond would be opened and closed with a handshake each.
                max_pool_connections=64,
                retries={"mode": "standard", "max_attempts": 3},
                s3={
                    "addressing_style": "path" if endpoint else "auto",
                    # TLS keeps what is under way as it is, and Tink authenticates it: it is not digested for that, too.
                    "payload_signing_enabled": endpoint.startswith("http://"),
                },
                # The client's own takes a tenth of the time of a request to put together, and describes this machine.
                user_agent="ModelMyImage",
                # Tink authenticates every byte; a second checksum would only cost a copy of each part.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
        self.client.meta.events.register_last("before-call.s3", _send_at_once)

    def writer(self, name: str) -> "PartWriter":
        """Begin an object; nothing is sent before the first part is full."""
        return PartWriter(self.client, self.bucket, self.prefix + name)

    def open(self, name: str) -> Opened:
        """Read an object as it arrives."""
        with _told():
            try:
                answer = self.client.get_object(Bucket=self.bucket, Key=self.prefix + name)
            except ClientError as error:
                if _code(error) in _MISSING:
                    raise Gone("The object is not in the store.") from None
                raise
        return Opened(int(answer["ContentLength"]), _Body(answer["Body"]))

    def exists(self, name: str, *, committed: bool = False) -> bool:
        """Whether the object or, unless it was ``committed``, an unfinished upload of it is there."""
        with _told():
            try:
                self.client.head_object(Bucket=self.bucket, Key=self.prefix + name)
            except ClientError as error:
                if _code(error) not in _MISSING:
                    raise
            else:
                return True
            return not committed and any(self._uploads(self.prefix + name))

    def delete(self, name: str, *, committed: bool = False) -> None:
        """Remove the object and, unless it was ``committed``, every unfinished upload of it.

        Raises ``VersionsKept`` if S3 says it kept it.
        """
        key = self.prefix + name
        with _told():
            # Uploads first: one that is completed between the two is deleted as an object.
            for _, upload in () if committed else self._uploads(key):
                _abort_upload(self.client, self.bucket, key, upload)
            answer = self.client.delete_object(Bucket=self.bucket, Key=key)
        if answer.get("DeleteMarker"):
            raise VersionsKept("The bucket keeps versions, so the object is hidden but not deleted.")

    def names(self) -> Iterator[str]:
        """All objects and unfinished uploads below the prefix."""
        with _told():
            for page in self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix):
                for found in page.get("Contents", []):
                    yield found["Key"].removeprefix(self.prefix)
            for key, _ in self._uploads(self.prefix, exactly=False):
                yield key.removeprefix(self.prefix)

    def versioning(self) -> str:
        """``Enabled`` or ``Suspended``; empty for a bucket that never kept versions."""
        with _told():
            return str(self.client.get_bucket_versioning(Bucket=self.bucket).get("Status", ""))

    def lifecycle_rules(self) -> list[dict[str, Any]]:
        """The bucket's lifecycle rules as S3 tells them. Raises ``Unavailable`` for a server that has no such thing."""
        with _told():
            try:
                answer = self.client.get_bucket_lifecycle_configuration(Bucket=self.bucket)
            except ClientError as error:
                if _code(error) == "NoSuchLifecycleConfiguration":
                    return []
                raise
            if "Rules" not in answer:  # rclone answers whatever it does not know with a list of the objects
                raise Unavailable("This S3 server knows no lifecycle rules.")
            return cast("list[dict[str, Any]]", answer["Rules"])

    def opened_by(self) -> str:
        """What opens the bucket to anybody: ``policy``, ``access list``, or nothing.

        Servers that have no such thing say so, and so nobody is let in by it. Raises ``Unavailable``.
        """
        with _told():
            blocked = self._asked("get_public_access_block", "PublicAccessBlockConfiguration", {})
            status = self._asked("get_bucket_policy_status", "PolicyStatus", {})
            if status.get("IsPublic") and not blocked.get("RestrictPublicBuckets"):
                return "policy"
            grants = self._asked("get_bucket_acl", "Grants", [])
            listed = any(each["Grantee"].get("URI") in _ANYBODY for each in grants)
            return "access list" if listed and not blocked.get("IgnorePublicAcls") else ""

    def _asked(self, question: str, part: str, nothing: Any) -> Any:
        try:
            return getattr(self.client, question)(Bucket=self.bucket).get(part, nothing)
        except ClientError as error:
            if _code(error) in _NO_SUCH_RULE:
                return nothing
            raise

    def _uploads(self, key: str, *, exactly: bool = True) -> Iterator[tuple[str, str]]:
        pages = self.client.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket, Prefix=key)
        try:
            for page in pages:
                for upload in page.get("Uploads", []):
                    if upload["Key"] == key or not exactly:
                        yield upload["Key"], upload["UploadId"]
        except ClientError as error:
            # Some servers answer so for a bucket in which nothing was ever uploaded in parts.
            if _code(error) != "NoSuchUpload":
                raise


def _send_at_once(params: dict[str, Any], **_: Any) -> None:
    """Wait for no leave to send a body: the client asks for it, and misses the answer where TLS has read it already.

    It then waits a whole second, and sends.
    """
    params["headers"].pop("Expect", None)


class _Part(io.RawIOBase):
    """One part in memory of its own, handed to the client as a file: given bytes it would copy them."""

    def __init__(self) -> None:
        super().__init__()
        self._memory: mmap.mmap | None
        try:
            self._memory = _spare.pop()
        except IndexError:
            self._memory = mmap.mmap(-1, PART_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # not a fork's, too
        self._place = 0
        self.size = 0

    def add(self, data: memoryview) -> int:
        """Take as much as there is room for; returns how much."""
        assert self._memory is not None
        taken = min(PART_BYTES - self.size, len(data))
        self._memory[self.size : self.size + taken] = data[:taken]
        self.size += taken
        return taken

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, never many: the client asks for a megabyte at a time to digest it."""
        assert self._memory is not None
        left = self.size - self._place
        count = left if size < 0 else min(size, left, PIECE_BYTES)
        piece = self._memory[self._place : self._place + count]
        self._place += count
        return piece

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        return self._place

    def empty(self) -> None:
        self._place = self.size = 0

    def leave(self) -> None:
        """Leave the memory to whoever comes next; the part is over. Harmless when repeated.

        A megabyte that the system gives anew takes as long as to seal it; what is left here is sealed.
        """
        self.empty()
        memory, self._memory = self._memory, None
        if memory is not None and len(_spare) < SPARE_PARTS:
            _spare.append(memory)


class PartWriter:
    """One object being uploaded; holds one part in memory."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self._target = {"Bucket": bucket, "Key": key}
        self._part = _Part()
        self._upload = ""
        self._done: list[dict[str, Any]] = []
        self._over = False

    def write(self, data: bytes) -> None:
        """Add to the part, and send it when it is full."""
        if self._over:
            raise Unavailable("The write is over.")
        rest = memoryview(data)
        while rest:
            rest = rest[self._part.add(rest) :]
            if self._part.size == PART_BYTES:
                self._send()

    def commit(self) -> None:
        """Send what is left and complete the upload; an object of less than a part goes in one request."""
        if self._over:
            raise Unavailable("The write is over.")
        self._over = True
        if not self._upload:
            with _told():
                self._client.put_object(Body=self._part, **self._target)
        else:
            if self._part.size:
                self._send()
            with _told():
                self._client.complete_multipart_upload(
                    UploadId=self._upload, MultipartUpload={"Parts": self._done}, **self._target
                )
        self._part.leave()

    def abort(self) -> None:
        """Have S3 drop the parts."""
        self._over = True
        self._part.leave()
        if self._upload:
            with _told():
                _abort_upload(self._client, self._target["Bucket"], self._target["Key"], self._upload)

    def _send(self) -> None:
        with _told():
            if not self._upload:
                self._upload = self._client.create_multipart_upload(**self._target)["UploadId"]
            number = len(self._done) + 1
            sent = self._client.upload_part(UploadId=self._upload, PartNumber=number, Body=self._part, **self._target)
        self._done.append({"PartNumber": number, "ETag": sent["ETag"]})
        self._part.empty()


class _Body:
    """S3's answer as a readable file."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        with _told():
            return cast(bytes, self._body.read(None if size < 0 else size))

    def readinto(self, into: memoryview) -> int:
        with _told():
            return cast(int, self._body.readinto(into))

    def close(self) -> None:
        self._body.close()


def _abort_upload(client: Any, bucket: str, key: str, upload: str) -> None:
    try:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
    except ClientError as error:
        if _code(error) not in _MISSING:
            raise
