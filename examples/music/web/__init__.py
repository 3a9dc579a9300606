"""The music library as a web application: pages for people, and a JSON API, over ``AsyncMusicDb``.

``library`` asks DynamoDB, ``pages`` and ``api`` answer browsers and programs, ``errors`` says what went wrong, and
``app`` puts them together. ``python -m examples.music.web`` serves it on this machine.
"""
