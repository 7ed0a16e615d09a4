"""What anybody may read of the log, and that no question breaks the answering."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from privacy import heads, log, merkle, published, receipts
from privacy.models import LogHead, LogNode, Receipt

pytestmark = pytest.mark.django_db


@pytest.fixture
def grown() -> list[int]:
    """A log of nine leaves with heads of 3, 5 and 9."""
    sizes = []
    for count in (3, 2, 4):
        for _ in range(count):
            receipts.issue(group=uuid4(), elsewhere=[{"provider": "far.example"}], outcome="done")
        log.append_waiting()
        head = heads.publish()
        assert head is not None
        sizes.append(head.size)
    return sizes


def leaf(index: int) -> bytes:
    return bytes(LogNode.objects.get(number=2 * index).hash)


def steps(document: dict[str, Any]) -> list[bytes]:
    return [bytes.fromhex(step) for step in document["path"]]


def root(head: dict[str, Any]) -> bytes:
    return bytes.fromhex(head["head"]["root"])


def test_the_latest_head_and_the_keys(client: Client, grown: list[int]) -> None:
    answer = client.get("/.well-known/modelmyimage-log.json")
    document = answer.json()
    assert document["head"]["head"]["size"] == 9
    assert document["keys"] == receipts.public_keys()
    assert heads.check(document["head"]).ok
    assert answer["Cache-Control"] == "public, max-age=60"
    assert client.get(reverse("privacy:log_head")).json() == document["head"]


def test_proofs_hold_by_the_published_head(client: Client, grown: list[int]) -> None:
    by_size = {head["head"]["size"]: head for head in client.get("/log/heads").json()["heads"]}
    assert list(by_size) == grown == [3, 5, 9]
    for size, head in by_size.items():
        for index in range(size):
            answer = client.get(f"/log/proof?leaf={leaf(index).hex()}&size={size}")
            assert "immutable" in answer["Cache-Control"]
            found = answer.json()
            assert (found["index"], found["size"]) == (index, size)
            assert merkle.includes(leaf=leaf(index), index=index, size=size, path=steps(found), root=root(head))
    for first, second in ((3, 5), (3, 9), (5, 9), (9, 9), (0, 9)):
        found = client.get(f"/log/consistency?first={first}&second={second}").json()
        older = root(by_size[first]) if first else merkle.EMPTY
        assert merkle.extends(
            first=first, second=second, first_root=older, second_root=root(by_size[second]), path=steps(found)
        )


def test_heads_come_in_pages_that_never_change(
    client: Client, grown: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(published, "PAGE", 2)
    first = client.get("/log/heads")
    assert [head["head"]["size"] for head in first.json()["heads"]] == [3, 5]
    assert "immutable" in first["Cache-Control"]
    second = client.get(first.json()["next"])
    assert [head["head"]["size"] for head in second.json()["heads"]] == [9]
    assert second.json()["next"] is None
    assert second["Cache-Control"] == "public, max-age=60"


def test_before_there_is_anything(client: Client) -> None:
    assert client.get("/.well-known/modelmyimage-log.json").json()["head"] is None
    assert client.get("/log/head").status_code == 404
    assert client.get("/log/heads").json()["heads"] == []
    assert client.get("/log/consistency?first=0&second=0").json()["path"] == []
    assert client.get("/log/consistency?first=0&second=1").status_code == 404


BAD = [
    "/log/proof",
    "/log/proof?leaf=&size=",
    "/log/proof?leaf=zz&size=9",
    f"/log/proof?leaf={'A' * 64}&size=9",
    f"/log/proof?leaf={'0' * 63}&size=9",
    f"/log/proof?leaf={'0' * 64}",
    f"/log/proof?leaf={'0' * 64}&size=-1",
    f"/log/proof?leaf={'0' * 64}&size=1e3",
    f"/log/proof?leaf={'0' * 64}&size=٣",
    f"/log/proof?leaf={'0' * 64}&size={'9' * 400}",
    f"/log/proof?leaf={'0' * 64}&size=9%00",
    "/log/consistency",
    "/log/consistency?first=1",
    "/log/consistency?first=-1&second=3",
    "/log/consistency?first=5&second=3",
    "/log/consistency?first=1.5&second=3",
    "/log/consistency?first=x&second=%27",
    "/log/heads?after=x",
    "/log/heads?after=-1",
]
GONE = [
    f"/log/proof?leaf={'0' * 64}&size=9",
    f"/log/proof?leaf={'0' * 64}&size=0",
    "/log/consistency?first=1&second=10",
    "/log/consistency?first=10&second=999999999999999",
]


@pytest.mark.parametrize(("path", "status"), [*((path, 400) for path in BAD), *((path, 404) for path in GONE)])
def test_bad_questions_get_problem_documents(client: Client, grown: list[int], path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert problem["title"]
    assert problem["detail"]


def test_a_leaf_is_not_in_a_tree_of_before_it(client: Client, grown: list[int]) -> None:
    assert client.get(f"/log/proof?leaf={leaf(4).hex()}&size=4").status_code == 404
    assert client.get(f"/log/proof?leaf={leaf(4).hex()}&size=10").status_code == 404
    inner = bytes(LogNode.objects.get(number=1).hash).hex()
    assert client.get(f"/log/proof?leaf={inner}&size=9").status_code == 404


@pytest.mark.parametrize("name", ["log", "log_head", "log_heads", "log_proof", "log_consistency"])
def test_it_can_only_be_read_and_by_every_page(client: Client, grown: list[int], name: str) -> None:
    answer = client.post(reverse(f"privacy:{name}"))
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"
    assert client.get(reverse(f"privacy:{name}"))["Access-Control-Allow-Origin"] == "*"
    assert client.head(reverse(f"privacy:{name}")).status_code in (200, 400)


def test_no_answer_holds_anything_of_a_receipt(client: Client, grown: list[int]) -> None:
    addresses = ["/.well-known/modelmyimage-log.json", "/log/head", "/log/heads", "/log/consistency?first=3&second=9"]
    addresses.append(f"/log/proof?leaf={leaf(2).hex()}&size=9")
    text = "".join(client.get(address).content.decode() for address in addresses)
    for receipt in Receipt.objects.all():
        secrets = [str(receipt.pk), str(receipt.group), receipts.digest(receipt.document)]
        secrets.append(bytes(receipt.log_salt or b"").hex())
        assert not [secret for secret in secrets if secret in text]
    assert "far.example" not in text
    assert LogHead.objects.count() == 3


def test_the_verifier_can_be_had(client: Client) -> None:
    answer = client.get(reverse("privacy:verifier"))
    assert b"RFC 9162" in answer.content
    assert 'filename="verify.py"' in answer["Content-Disposition"]


def test_the_page_names_each_check(client: Client, grown: list[int]) -> None:
    from privacy.proofs import file_of

    document = file_of(Receipt.objects.get(log_index=1))
    page = client.post(reverse("privacy:verify"), {"document": json.dumps(document)})
    assert page.context["verification"].logged
    text = page.content.decode()
    for name in ("Form", "Key", "Signature", "Log’s head", "In the log"):
        assert f"<b>{name}</b>" in text
    bare = {name: document[name] for name in ("receipt", "signature")}
    page = client.post(reverse("privacy:verify"), {"document": json.dumps(bare)})
    assert page.context["verification"].ok
    assert "does not say where in the log it is" in page.content.decode()
