"""When an experiment is trained again: a declaration. Light to import."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from classification_assets.learning.declaration import Declaration


class Retrain(Declaration):
    """When an experiment is trained again by itself; without it only the schedule `retraining` does it."""

    schedule: str | None = Field(
        None,
        description="A cron expression of five fields: 0 3 * * * is three o'clock each night.",
        examples=["0 3 * * *"],
    )
    timezone: str = Field(
        "UTC", description="The time zone of the schedule, as Europe/Berlin; summer time is heeded."
    )
    on_change: bool = Field(False, description="As soon as the content of the table has changed.")
    on_drift: bool = Field(
        False, description="As soon as its rows differ from those on which the champion was promoted."
    )
    every: int = Field(
        60,
        ge=1,
        le=86_400,
        description="Seconds between two looks at the table, for on_change and on_drift.",
    )

    @field_validator("schedule")
    @classmethod
    def _is_cron(cls, schedule: str | None) -> str | None:
        from dagster._utils.schedules import is_valid_cron_string

        if schedule is not None and not is_valid_cron_string(schedule):
            raise ValueError(
                f"a cron expression of five fields is needed, such as '0 3 * * *' or @daily, got {schedule!r}"
            )
        return schedule

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(
                f"a time zone's name is needed, such as Europe/Berlin, got {timezone!r}"
            ) from error
        return timezone
