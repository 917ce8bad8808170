"""The sources that ship with the engine."""
