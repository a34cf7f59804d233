"""A rule that an artifact must satisfy: its name, its description and its verdict. Light to import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from classification_assets.learning.printable import printable

Verdict = tuple[bool, str]


@dataclass(frozen=True)
class Check:
    """A rule that an artifact must satisfy.

    Attributes
    ----------
    name : str
    description : str
    judge : callable
        ``judge(value) -> (passed, sentence)``.
    blocking : bool
        Whether a violation keeps everything downstream from being made.
    withholds : bool
        Whether it also keeps the artifact itself from being published: the one that was there before stays.
    lesson : str
        What a violation teaches, where it is meant to happen.
    """

    name: str
    description: str
    judge: Callable[[Any], Verdict] = field(repr=False)
    blocking: bool = False
    withholds: bool = False
    lesson: str = ""

    def verdict(self, value: Any) -> Verdict:
        """Whether a value satisfies the rule, and why in one line that can be printed, whatever names are in it."""
        passed, sentence = self.judge(value)
        return passed, printable(sentence)

    def on(self, part: Callable[[Any], Any]) -> Check:
        """The same rule for something of which the artifact is a part."""
        judge = self.judge
        return replace(self, judge=lambda value: judge(part(value)))

    def teaching(self, lesson: str) -> Check:
        """The same rule, a violation of which teaches something and says what."""
        judge = self.judge

        def taught(value: Any) -> Verdict:
            passed, sentence = judge(value)
            return passed, sentence if passed else f"{sentence}. The lesson here: {lesson}"

        return replace(self, judge=taught, lesson=lesson)

    def measuring(self) -> Check:
        """The same for a baseline, which is there to be beaten: what is found is told, and never violates the rule."""
        judge = self.judge

        def measured(value: Any) -> Verdict:
            passed, sentence = judge(value)
            return True, sentence if passed else f"a baseline, which is measured and not judged: {sentence}"

        return replace(self, judge=measured, blocking=False)

    @classmethod
    def of(cls, judge: Callable[[Any], Verdict]) -> Check:
        """From a function: its name and the first line of its docstring."""
        return cls(judge.__name__, (judge.__doc__ or "").strip().partition("\n")[0], judge)
