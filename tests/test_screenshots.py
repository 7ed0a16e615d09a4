"""Every address of the site is photographed by ``make screenshots``, or said to be no page."""

from __future__ import annotations

from scripts.screenshots import pages


def test_each_address_has_a_place() -> None:
    assert pages.unplaced() == []


def test_what_is_no_page_exists_and_is_not_photographed() -> None:
    said = {name for names in pages.NO_PAGES.values() for name in names}
    assert said - set(pages.named()) == set()
    assert said & pages.placed() == set()


def test_what_is_done_on_pages_can_be_done() -> None:
    from scripts.screenshots import doing

    assert [page.does for page in pages.PAGES if page.does and not hasattr(doing, page.does)] == []
