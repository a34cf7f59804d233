"""The words on a figure."""

from matplotlib.text import Text


def texts(figure):
    """All that can be read on a figure."""
    return "\n".join(text.get_text() for text in figure.findobj(Text) if text.get_visible())
