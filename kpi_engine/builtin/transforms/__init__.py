"""The transforms that come with the engine."""
