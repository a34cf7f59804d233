"""UnfitRowsError: why a model cannot be scored on rows, or evaluations cannot be compared. Light to import."""


class UnfitRowsError(ValueError):
    """Models and rows that do not go together.

    The rows have other columns, classes or kinds of values than the model knows, or are those it has learned from; or
    they are not those on which another model was scored.
    """
