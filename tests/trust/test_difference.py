"""What changed is told by paragraphs and words, and nothing else is said to have changed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trust import difference, markdown
from trust.difference import Change, Kind

OLD = """# Policy

We keep photos for one hour at most.

* First point
* Second point

The end.
"""


def told(old: str, new: str) -> list[str]:
    marks = {Kind.SAME: "{}", Kind.ADDED: "[+{}]", Kind.REMOVED: "[-{}]"}
    return [
        "".join(marks[piece.kind].format(piece.text) for piece in change.pieces) or f"({change.unchanged})"
        for change in difference.between(old, new)
    ]


def test_words_within_a_paragraph() -> None:
    assert told(OLD, OLD.replace("one hour", "two hours")) == [
        "(1)",
        "We keep photos for[- one hour][+ two hours] at most.",
        "(3)",
    ]


def test_whole_paragraphs() -> None:
    assert told(OLD, OLD.replace("* Second point\n", "")) == ["(3)", "[-Second point]", "(1)"]
    assert told(OLD, OLD + "\nOne more thing.\n") == ["(5)", "[+One more thing.]"]
    assert told(OLD, OLD.replace("The end.", "Quite other words here")) == [
        "(4)",
        "[-The end.]",
        "[+Quite other words here]",
    ]


def test_nothing() -> None:
    assert difference.between(OLD, OLD) == [Change(unchanged=5)]


def test_where_a_link_leads_is_part_of_it() -> None:
    assert told("See it [here](https://one.example)", "See it [here](https://two.example)") == [
        "See it here[- (https://one.example)][+ (https://two.example)]"
    ]


WORDS = st.lists(st.sampled_from(["we", "keep", "nothing", "of", "your", "photo"]), min_size=1, max_size=6)
TEXTS = st.lists(WORDS.map(" ".join), max_size=6)


@given(TEXTS, TEXTS)
def test_without_what_was_removed_it_is_the_new_text_and_without_what_was_added_the_old(
    old: list[str], new: list[str]
) -> None:
    found = difference.between("\n\n".join(old), "\n\n".join(new))

    def kept(without: Kind) -> list[str]:
        said = []
        for change in found:
            if not change.pieces:
                said += ["="] * change.unchanged
            elif text := "".join(piece.text for piece in change.pieces if piece.kind is not without):
                said.append(text)
        return said

    for side, whole in ((kept(Kind.REMOVED), new), (kept(Kind.ADDED), old)):
        assert len(side) == len(whole)
        assert all(one in ("=", other) or one.split() == other.split() for one, other in zip(side, whole, strict=True))


def test_html_in_a_text_is_shown_and_not_obeyed() -> None:
    page = markdown.page("# <script>alert(1)</script>\n\n[x](javascript:alert(1)) <b>bold</b>\n")
    assert "<script" not in page.html
    assert "<b>" not in page.html
    assert "href" not in page.html


def test_headings_can_be_linked_to() -> None:
    page = markdown.page("# One\n\n## Two words\n\n## Two words\n\n### Three\n")
    assert page.chapters == [("two-words", "Two words"), ("two-words-", "Two words")]
    assert '<h3 id="three">' in page.html
