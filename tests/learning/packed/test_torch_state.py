"""The caller's number of threads is his again, whoever computed meanwhile and in whatever order they ended."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
import torch

from classification_assets.learning.packed.torch_state import threads, usual_defaults, usual_state


def in_a_new_thread(call=torch.get_num_threads, *arguments):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call, *arguments).result()


@pytest.fixture
def three():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three")
def test_a_number_holds_inside_and_not_after():
    with threads(1) as number:
        assert (number, torch.get_num_threads()) == (1, 1)
        with threads(2):
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 1
    assert (torch.get_num_threads(), in_a_new_thread()) == (3, 3)


@pytest.mark.usefixtures("three")
def test_without_a_number_it_stays():
    with threads() as number:
        assert (number, torch.get_num_threads()) == (3, 3)


@pytest.mark.usefixtures("three")
def test_a_thread_that_began_meanwhile_and_ends_last_leaves_nothing():
    begun, go_on = Event(), Event()

    def late():
        with threads(1):
            begun.set()
            go_on.wait()
        return torch.get_num_threads()

    with ThreadPoolExecutor(1) as pool:
        with threads(1):
            ends_last = pool.submit(late)
            begun.wait()
        go_on.set()
        assert ends_last.result() == 3
    assert (torch.get_num_threads(), in_a_new_thread()) == (3, 3)


@pytest.mark.usefixtures("three")
def test_many_threads_at_once_leave_nothing():
    together = Barrier(4)

    def compute(_):
        together.wait()
        for _ in range(20):
            with threads(1):
                torch.ones(4).sum()
        return torch.get_num_threads()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(compute, range(4))) == {3}
    assert (torch.get_num_threads(), in_a_new_thread()) == (3, 3)


@pytest.mark.usefixtures("three")
def test_a_threads_own_number_is_its_own_again_and_the_process_keeps_its_own():
    def with_its_own():
        torch.set_num_threads(2)
        assert torch.get_num_threads() == 2  # from the first question on the number is the thread's own
        in_a_new_thread(torch.set_num_threads, 3)
        with threads(1):
            pass
        return torch.get_num_threads()

    assert in_a_new_thread(with_its_own) == 2
    assert in_a_new_thread() == 3


def test_the_usual_state_has_gradients_and_no_autocast():
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16), usual_state():
        weight = torch.ones(2, 2, requires_grad=True)
        product = weight @ weight
        assert product.requires_grad
        assert product.dtype == torch.float32
        assert not product.is_inference()


def test_the_usual_defaults_are_the_callers_again_after_an_error():
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"), usual_defaults(torch.device("cpu")):
            made = torch.ones(1)
            assert (made.dtype, made.device.type) == (torch.float32, "cpu")
        with pytest.raises(ZeroDivisionError), usual_defaults(torch.device("cpu")):
            1 / 0  # noqa: B018
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
