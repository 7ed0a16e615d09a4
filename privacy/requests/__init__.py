"""What people may ask about their data, and how it comes to an answer within the law's time.

``rights`` names what can be asked under which law, ``clock`` says until when, ``handling`` is the life of a request,
``mailing`` brings its letters out, ``forgetting`` ends it. ``pages`` and ``admin`` are its two faces.
"""
