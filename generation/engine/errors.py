"""What can go wrong in the engine, each with a name of its own.

``EngineError`` is the root; ``NoSubject`` and its kinds are the user's picture, ``BadPicture`` a broken caller,
``WeightsAltered`` a broken installation. No message ever says anything about the picture.
"""


class EngineError(Exception):
    """Root of the errors raised by the engine."""


class NoSubject(EngineError):
    """Nothing in the picture stands out enough to be modelled. ``code`` is for programs."""

    code = "no_subject"


class TooSmall(NoSubject):
    """What stands out is too few pixels to have a shape."""

    code = "subject_too_small"


class TooThin(NoSubject):
    """What stands out is nowhere thick enough to have a surface: a hairline, a thread."""

    code = "subject_too_thin"


class BackDoesNotMatch(EngineError):
    """The photo from behind has quite another outline than the one from the front. ``code`` is for programs."""

    code = "back_does_not_match"


class BadPicture(EngineError):
    """The bytes are no PNG or JPEG picture of the kind that was promised."""


class WeightsAltered(EngineError):
    """The network's weights on disk are not the ones this code was written for."""
