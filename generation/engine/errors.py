"""What can go wrong in the engine, each with a name of its own.

``EngineError`` is the root; ``NoSubject`` is the user's picture, ``BadPicture`` a broken caller,
``WeightsAltered`` a broken installation. No message ever says anything about the picture.
"""


class EngineError(Exception):
    """Root of the errors raised by the engine."""


class NoSubject(EngineError):
    """The picture shows nothing that stands out enough, or is thick enough, to be modelled."""


class BadPicture(EngineError):
    """The bytes are no PNG or JPEG picture of the kind that was promised."""


class WeightsAltered(EngineError):
    """The network's weights on disk are not the ones this code was written for."""
