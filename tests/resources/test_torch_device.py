"""Which device is configured and used: the most specific choice that is not auto."""

import pytest
import torch

from classification_assets.resources.torch_device import TorchDevice, configured_device, device_tag


def test_without_any_choice_the_machine_decides():
    expected = (
        "cuda:0" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    )
    assert TorchDevice().resolve().name == expected


@pytest.mark.parametrize(
    ("run", "architecture", "experiment", "environment", "wins"),
    [
        ("cpu", "mps", "cuda", "cuda:1", "cpu"),
        ("auto", "mps", "cuda", "cuda:1", "mps"),
        ("auto", "auto", "cuda", "cuda:1", "cuda"),
        ("auto", "auto", "auto", "cuda:1", "cuda:1"),
        ("auto", "auto", "auto", "", "auto"),
    ],
)
def test_the_most_specific_choice_that_is_not_auto_wins(
    monkeypatch, run, architecture, experiment, environment, wins
):
    monkeypatch.setenv("CLASSIFICATION_ASSETS_DEVICE", environment)
    assert TorchDevice(device=run).choice(architecture, experiment) == wins


def test_the_environment_is_read_when_the_device_is_resolved(monkeypatch):
    resource = TorchDevice()
    monkeypatch.setenv("CLASSIFICATION_ASSETS_DEVICE", "cpu")
    assert resource.resolve().name == "cpu"


def test_a_named_device_that_is_not_there_is_an_error_and_no_fallback():
    with pytest.raises(ValueError, match=r"device 'cuda:63' is not there; this machine has .*cpu"):
        TorchDevice(device="cuda:63").resolve()


def test_a_name_that_is_no_device_is_refused_and_the_variable_named(monkeypatch):
    monkeypatch.setenv("CLASSIFICATION_ASSETS_DEVICE", "gpu")
    with pytest.raises(ValueError, match=r"CLASSIFICATION_ASSETS_DEVICE: a device is auto, cpu, .*'gpu'"):
        configured_device()


def test_a_tag_has_no_colon():
    assert device_tag("cuda:0") == "cuda-0"


@pytest.mark.parametrize(
    ("run", "environment", "used"), [(0, "", None), (0, "3", 3), (2, "3", 2), (0, "0", None)]
)
def test_the_runs_number_of_threads_comes_before_the_environments(monkeypatch, run, environment, used):
    monkeypatch.setenv("CLASSIFICATION_ASSETS_THREADS", environment)
    assert TorchDevice(threads=run).chosen_threads() == used


@pytest.mark.parametrize("value", ["many", "-1", "1.5"])
def test_a_number_of_threads_that_is_none_is_refused_and_the_variable_named(monkeypatch, value):
    monkeypatch.setenv("CLASSIFICATION_ASSETS_THREADS", value)
    with pytest.raises(ValueError, match=rf"CLASSIFICATION_ASSETS_THREADS must be a whole number.*{value}"):
        TorchDevice().chosen_threads()
