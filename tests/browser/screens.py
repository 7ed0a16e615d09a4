"""The screens that pages are looked at on."""

from __future__ import annotations

from typing import Any

SCREENS: dict[str, dict[str, Any]] = {
    "wide light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "wide contrast": {"viewport": {"width": 1280, "height": 900}, "contrast": "more"},
    "phone dark": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "dark",
        "is_mobile": True,
        "has_touch": True,
    },
    "small phone": {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True},
}
"""Each as the options of a browser context."""
TWO = {name: SCREENS[name] for name in ("wide light", "phone dark")}
"""For pages made of the same parts as those that are looked at on all four."""
