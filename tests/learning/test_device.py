"""The most specific choice wins, and only auto falls back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from classification_assets.learning.device import first_choice, resolve_device

names = st.sampled_from(["auto", "cpu", "cuda", "cuda:3", "mps"])
nothing_but_a_cpu = pytest.mark.skipif(
    torch.cuda.is_available() or torch.backends.mps.is_available(), reason="this machine has an accelerator"
)


@given(st.lists(names, max_size=5))
def test_the_first_choice_that_is_not_auto_wins(choices):
    named = [choice for choice in choices if choice != "auto"]
    assert first_choice(*choices) == (named[0] if named else "auto")


def test_a_named_device_wins_over_what_follows():
    assert resolve_device("auto", "cpu", "cuda:99").name == "cpu"


def test_the_device_tells_what_computes():
    device = resolve_device("cpu")
    assert device.torch_version == torch.__version__
    assert device.threads == torch.get_num_threads()
    assert device.hardware


@nothing_but_a_cpu
@pytest.mark.parametrize("choices", [(), ("auto",), ("auto", "auto")])
def test_auto_falls_back_to_the_cpu(choices):
    assert resolve_device(*choices).name == "cpu"


@nothing_but_a_cpu
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_named_device_that_is_not_there_is_an_error_with_those_that_are(name):
    with pytest.raises(ValueError, match="this machine has cpu") as raised:
        resolve_device(name)
    assert f"device {name!r} is not there" in str(raised.value)
    assert "auto chooses" in str(raised.value)


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:-1", "CPU", "", "cpu "])
def test_a_name_of_no_device_is_refused_even_behind_another_choice(name):
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the whole message is compared)
        resolve_device(name, "cpu")
    assert str(raised.value) == f"a device is auto, cpu, cuda, cuda:N or mps, got {name!r}"


def test_choosing_names_imports_no_torch(imported_by):
    statement = "from classification_assets.learning.device import first_choice; first_choice('auto', 'cpu')"
    assert not imported_by(statement) & {"torch", "numpy", "pandas", "sklearn", "dagster"}
