"""UnreadableRowsError: why a model cannot be scored on rows. Light to import."""


class UnreadableRowsError(ValueError):
    """A model and rows that do not go together: other columns, classes or kinds of values, or its own rows alone."""
