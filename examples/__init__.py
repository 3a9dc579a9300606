"""Applications that show logicaldb at work."""
