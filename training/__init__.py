"""How the engine's depth network is made: objects, pictures of them, training, export. Not part of the application.

Needs the packages of ``training/requirements.txt``; ``docs/engine.md`` tells how to run it and what came out.
"""
