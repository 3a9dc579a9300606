"""Frozen descriptions of what is declared, and every check of a declaration with its message."""
