"""A music library in one DynamoDB table: albums with their tracks, and playlists.

``models`` declares the table, ``catalog`` reads albums from JSON files, ``connection`` finds a DynamoDB, ``cli``,
``playlists`` and ``demo`` are what ``python -m examples.music`` runs, and ``render`` makes it good to look at.
``web`` is the same library as a web application.
"""
