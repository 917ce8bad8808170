"""A formula read into a checked tree; its additivity and unit inferred."""
