from __future__ import annotations

import gc
import os
import threading
from collections.abc import Generator

import pytest

from logicaldb.collector import _PATIENCE, PatientCollector

USUAL = (701, 11, 12)


@pytest.fixture(autouse=True)
def usual() -> Generator[None]:
    before = gc.get_threshold()
    gc.set_threshold(*USUAL)
    yield
    gc.set_threshold(*before)


def test_it_is_patient_inside_and_as_before_afterwards() -> None:
    patient = PatientCollector()
    with patient:
        assert gc.get_threshold() == (_PATIENCE, 11, 12)
        with patient:
            assert gc.get_threshold() == (_PATIENCE, 11, 12)
        assert gc.get_threshold() == (_PATIENCE, 11, 12)
    assert gc.get_threshold() == USUAL


def test_it_is_as_before_when_the_last_of_several_threads_leaves() -> None:
    patient = PatientCollector()
    inside, leave = threading.Barrier(3), threading.Event()

    def read() -> None:
        with patient:
            inside.wait(10)
            leave.wait(10)

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    with patient:
        pass
    assert gc.get_threshold() == (_PATIENCE, 11, 12)
    leave.set()
    for thread in threads:
        thread.join()
    assert gc.get_threshold() == USUAL


@pytest.mark.parametrize("own", [(0, 10, 10), (_PATIENCE, 20, 30), (_PATIENCE + 1, 10, 10)])
def test_what_is_more_patient_is_left_as_it_is(own: tuple[int, int, int]) -> None:
    patient = PatientCollector()
    with patient:
        pass
    gc.set_threshold(*own)
    with patient:
        assert gc.get_threshold() == own
    assert gc.get_threshold() == own


def test_what_the_application_sets_meanwhile_stays() -> None:
    with PatientCollector():
        gc.set_threshold(5, 6, 7)
        gc.disable()
    try:
        assert gc.get_threshold() == (5, 6, 7)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_forked_process_is_not_patient_because_of_threads_that_it_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = PatientCollector()
    patient.__enter__()  # by a thread of the process that forks
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with patient:
        assert gc.get_threshold() == (_PATIENCE, 11, 12)
    assert gc.get_threshold() == USUAL


def test_a_fork_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    patient = PatientCollector()
    with patient:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with patient:
            assert gc.get_threshold() == (_PATIENCE, 11, 12)
        assert gc.get_threshold() == USUAL
    assert gc.get_threshold() == USUAL
