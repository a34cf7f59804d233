"""TorchDevice: the Dagster resource that every asset declares, and the device configured for it."""

from __future__ import annotations

import os

import dagster as dg
from pydantic import Field

from classification_assets.learning.device import Device, first_choice, resolve_device

ENVIRONMENT = "CLASSIFICATION_ASSETS_DEVICE"
THREADS = "CLASSIFICATION_ASSETS_THREADS"
TAG = "classification_assets/device"


class TorchDevice(dg.ConfigurableResource):
    """Where networks train. The most specific choice that is not auto wins: the run's configuration of this
    resource, the architecture, the experiment, the environment; auto alone takes CUDA, then MPS, then the CPU.
    """

    device: str = Field("auto", description="For this run: auto, cpu, cuda, cuda:N or mps.")
    threads: int = Field(0, description="Threads of the CPU for this run; 0 is chosen by the work.")

    def resolve(self, *declared: str) -> Device:
        """The device to use, `declared` going from the most to the least specific.

        Raises
        ------
        ValueError
            If the chosen device is not there, or is no device's name.
        """
        return resolve_device(self.choice(*declared))

    def chosen_threads(self) -> int | None:
        """The number of threads that the run or else the environment sets; None if the work chooses.

        Raises
        ------
        ValueError
            If either is no whole number, or negative.
        """
        for name, value in (("threads", self.threads), (THREADS, os.environ.get(THREADS) or 0)):
            if not str(value).isdecimal():
                raise ValueError(f"{name} must be a whole number of threads, or 0 for auto, got {value}")
            if int(value):
                return int(value)
        return None

    def choice(self, *declared: str) -> str:
        """The name that was chosen; auto if nobody chose."""
        return first_choice(self.device, configured_device(*declared))


def configured_device(*declared: str) -> str:
    """The device that declarations and environment choose, before any run says otherwise.

    Raises
    ------
    ValueError
        If the environment variable holds no device's name.
    """
    from_environment = os.environ.get(ENVIRONMENT, "") or "auto"
    try:
        return first_choice(*declared, from_environment)
    except ValueError as error:
        raise ValueError(f"{ENVIRONMENT}: {error}") from error


def device_tag(name: str) -> str:
    """A device's name as a tag's value, where a colon is not allowed."""
    return name.replace(":", "-")
