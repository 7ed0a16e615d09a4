"""What a program may wish for when it sends a photo: fields of the form, or of the query, by the same names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from accounts import problems
from accounts.problems import Problem
from generation.forms import ONE_PIECE, WITHOUT_COLOUR
from generation.intake import Wishes
from generation.options import NAMES, PRINT_MM, TRIANGLES, JobOptions
from generation.restrictions import Restrictions


def _flag(value: Any) -> Any:
    if value in ("true", "false"):
        return value == "true"
    raise ValueError("Write true or false.")


def _number(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
        return int(value)
    raise ValueError("Write a whole number.")


Flag = Annotated[bool, BeforeValidator(_flag)]
AS_TEXT: Final = BeforeValidator(_number)


class Wants(Schema):
    """The choices, all of them optional."""

    model_config = ConfigDict(extra="forbid")

    quality: Literal["draft", "standard", "high"] = Field("standard", description="What it costs depends on this.")
    keep_minutes: Annotated[Literal[10, 60, 1440], AS_TEXT] = Field(
        60, description="How long the model waits for you to fetch it. Not for /generate."
    )
    provider: str = Field(
        "", max_length=40, description="The name of a provider from GET /providers; empty: the best one for this."
    )
    max_credits: Annotated[int, Field(ge=0, le=100_000), AS_TEXT] | None = Field(
        None, description="What it may cost at most; without it, whatever the best offer costs."
    )
    keep_all: Flag = Field(False, description="Everything that stands out in the photo, not only the main object.")
    back: Literal["invented", "mirrored"] = Field("invented", description="The side that the photo does not show.")
    flatten_light: Flag = Field(False, description="Colours without the light and shade of the room.")
    normal_map: Flag = Field(False, description="Fine relief, as shading.")
    print_size_mm: Annotated[int, Field(ge=PRINT_MM[0], le=PRINT_MM[1]), AS_TEXT] | None = Field(
        None, description="The longest side of a piece for a 3D printer."
    )
    texture: Flag = Field(True, description="Colours; false: the bare shape.")
    target_triangles: Annotated[int, Field(ge=TRIANGLES[0], le=TRIANGLES[1]), AS_TEXT] | None = Field(
        None, description="About how many triangles it should have."
    )
    self_hosted: Flag = Field(False, description="Only on machines of this site.")
    no_retention: Flag = Field(False, description="Only where nothing is kept.")
    no_training: Flag = Field(False, description="Only where nothing is learnt from photos.")

    def wishes(self) -> Wishes:
        """As the intake takes them. Raises ``Problem`` for choices that do not go together."""
        chosen = {name: getattr(self, name) for name in NAMES if name != "format"}
        try:
            options = JobOptions(**chosen)
        except ValueError as error:
            name = str(error)
            said = {"keep_all": ONE_PIECE, "texture": WITHOUT_COLOUR}.get(name)
            raise wrong({name: [str(said or "There is no such choice.")]}) from None
        return Wishes(
            quality=self.quality,
            keep_minutes=self.keep_minutes,
            provider=self.provider,
            options=options,
            restrictions=Restrictions(
                self_hosted=self.self_hosted, no_retention=self.no_retention, no_training=self.no_training
            ),
            most_credits=self.max_credits,
        )


def parse(sent: Mapping[str, str]) -> Wants:
    """The choices among what was sent. Raises ``Problem``, naming each field that needs a change."""
    try:
        return Wants.model_validate(dict(sent))
    except ValidationError as error:
        raise wrong(fields_of(error.errors())) from None


def fields_of(errors: Any) -> dict[str, list[str]]:
    """What pydantic found, by field."""
    found: dict[str, list[str]] = {}
    for one in errors:
        name = str(next((part for part in reversed(one["loc"]) if isinstance(part, str)), "request"))
        found.setdefault(name[:100], []).append(str(one["msg"]).removeprefix("Value error, "))
    return found


def wrong(errors: dict[str, list[str]]) -> Problem:
    """The problem that lists fields."""
    said = " ".join(f"{name}: {' '.join(messages)}" for name, messages in errors.items())
    return Problem(problems.INVALID, said, errors=errors)


def parameters() -> list[dict[str, Any]]:
    """The choices as parameters of the query, for the schema."""
    return [
        {
            "in": "query",
            "name": name,
            "required": False,
            "description": field.get("description", ""),
            "schema": {part: value for part, value in field.items() if part not in ("description", "title")},
        }
        for name, field in properties().items()
    ]


def properties() -> dict[str, Any]:
    """The choices as fields of the form, for the schema: what may be left out need not be sent as null."""
    shown = {}
    # What it is once it is read: before that, pydantic knows no bounds.
    for name, field in Wants.model_json_schema(mode="serialization")["properties"].items():
        plain = {part: value for part, value in field.items() if part != "title"}
        options = [option for option in plain.pop("anyOf", []) if option != {"type": "null"}]
        if options:
            plain = {**options[0], **plain}
            plain.pop("default", None)
        shown[name] = plain
    return shown
