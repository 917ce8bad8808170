"""Ctrl-C while an engine computes."""

from __future__ import annotations

import signal
import threading

import pytest

from kpi_engine.cli.interruption import Terminated, ending, stopping

PATIENCE = 60


class Engine:
    """Counts how often it is stopped."""

    def __init__(self):
        self.times = 0
        self.twice = threading.Event()

    def interrupt(self):
        self.times += 1
        if self.times == 2:
            self.twice.set()


def test_ctrl_c_stops_the_engine_until_it_has_heard():
    engine = Engine()
    with pytest.raises(KeyboardInterrupt), stopping(engine):  # noqa: PT012 - the signal is heard at the end of a step
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            assert engine.twice.wait(PATIENCE)


def test_a_process_that_is_told_to_end_stops_the_engine_too():
    engine = Engine()
    with pytest.raises(Terminated), ending(), stopping(engine):  # noqa: PT012 - the signal is heard at the end of a step
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            assert engine.twice.wait(PATIENCE)


def test_other_signals_stop_nothing():
    engine = Engine()
    before = signal.signal(signal.SIGABRT, lambda *_: None)
    try:
        with stopping(engine):
            signal.raise_signal(signal.SIGABRT)
    finally:
        signal.signal(signal.SIGABRT, before)
    assert engine.times == 0


def test_nothing_is_left_behind():
    threads = threading.active_count()
    with stopping(Engine()):
        assert threading.active_count() == threads + 1
    assert threading.active_count() == threads
    assert signal.set_wakeup_fd(-1) == -1


def test_outside_the_main_thread_it_leaves_signals_alone():
    found = []

    def work():
        with stopping(Engine()):
            found.append(threading.active_count())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENCE)
    assert len(found) == 1


def test_what_a_query_says_after_a_signal_does_not_hide_which_it_was():
    def told_to_end():
        with ending():
            try:
                signal.raise_signal(signal.SIGTERM)
            finally:
                raise KeyboardInterrupt  # as an interrupted query does, in a thread of its own

    with pytest.raises(Terminated):
        told_to_end()
