"""What is kept between commands: found again, or as good as never kept."""

import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_engine import cache as module
from kpi_engine.cache import Cache, default_folder, digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions are of POSIX")


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "kept")


def files(cache):
    return sorted(cache.folder.iterdir())


@given(JSON, st.text(), st.text(min_size=1))
def test_what_is_kept_is_found_again_under_its_kind_and_key_alone(tmp_path_factory, value, key, more):
    cache = Cache(tmp_path_factory.mktemp("cache"))
    cache.write("a", key, {"value": value})
    assert cache.read("a", key) == {"value": value}
    assert cache.read("a", key + more) is None
    assert cache.read("b", key) is None


def test_a_file_that_is_cut_off_anywhere_is_as_good_as_none(cache):
    cache.write("a", "key", ["value", 1.5, None])
    (file,) = files(cache)
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert cache.read("a", "key") is None, length
    file.write_bytes(whole)
    assert cache.read("a", "key") == ["value", 1.5, None]


def test_a_file_with_any_bit_turned_is_as_good_as_none(cache):
    cache.write("a", "key", ["value", 1.5, None])
    (file,) = files(cache)
    whole = file.read_bytes()
    for place in range(len(whole)):
        for bit in range(8):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            assert cache.read("a", "key") is None, (place, bit)


@pytest.mark.parametrize("more", [b"\n", b" ", b"\0", b"x"])
def test_a_file_with_something_added_is_as_good_as_none(cache, more):
    cache.write("a", "key", "value")
    (file,) = files(cache)
    file.write_bytes(file.read_bytes() + more)
    assert cache.read("a", "key") is None


def test_a_file_in_the_place_of_another_is_as_good_as_none(cache):
    cache.write("a", "one", 1)
    (one,) = files(cache)
    cache.write("a", "two", 2)
    (two,) = (file for file in files(cache) if file != one)
    two.write_bytes(one.read_bytes())
    assert cache.read("a", "two") is None
    assert cache.read("a", "one") == 1


def test_another_version_of_the_engine_finds_nothing(cache, monkeypatch):
    cache.write("definitions", "key", 1)
    monkeypatch.setattr(module, "code_version", lambda: "another")
    assert cache.read("definitions", "key") is None


def test_another_version_of_duckdb_finds_what_does_not_depend_on_it(cache, monkeypatch):
    cache.write("recipe", "key", 1)
    cache.write("definitions", "key", 2)
    monkeypatch.setattr("duckdb.__version__", "99")
    assert cache.read("recipe", "key") is None
    assert cache.read("definitions", "key") == 2


def test_another_format_finds_nothing(cache, monkeypatch):
    cache.write("a", "key", 1)
    monkeypatch.setattr(module, "FORMAT", 99)
    assert cache.read("a", "key") is None


@POSIX
def test_nobody_else_can_read_what_is_kept(cache):
    cache.write("a", "key", 1)
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in files(cache)] == [0o600]


@POSIX
@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702])
def test_a_folder_that_others_may_write_into_is_not_used(cache, mode):
    cache.write("a", "key", 1)
    cache.folder.chmod(mode)
    again = Cache(cache.folder)
    assert again.read("a", "key") is None
    assert "others may write into it" in again.problem
    again.write("a", "other", 1)
    assert len(files(cache)) == 1


@POSIX
def test_a_folder_of_somebody_else_is_not_used(cache, monkeypatch):
    cache.write("a", "key", 1)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert Cache(cache.folder).read("a", "key") is None


def test_a_folder_that_cannot_be_made_keeps_nothing_and_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "kept")
    assert cache.read("a", "key") is None
    cache.write("a", "key", 1)
    assert "cannot be written" in cache.problem
    assert cache.read("a", "key") is None
    assert "cannot be written" in Cache(tmp_path / "file" / "kept").trouble()
    assert Cache(tmp_path / "kept").trouble() == ""
    assert cache.clear() == 0


def test_a_write_that_fails_leaves_what_stood_there_and_nothing_else(cache, monkeypatch):
    cache.write("a", "key", 1)

    def fail(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        cache.write("a", "key", 2)
    assert "No space left" in cache.problem
    assert Cache(cache.folder).read("a", "key") == 1
    assert len(files(cache)) == 1


def test_it_may_be_deleted_at_any_time(cache):
    for number in range(3):
        cache.write("a", "key", number)
        assert cache.read("a", "key") == number
        for file in files(cache):
            file.unlink()
        assert cache.read("a", "key") is None
        cache.folder.rmdir()
        assert cache.read("a", "key") is None
    assert cache.problem == ""


def test_clearing_deletes_what_was_kept_and_nothing_else(cache):
    for key in "abc":
        cache.write("a", key, key)
    other = cache.folder / "notes.kpi.txt"
    other.write_text("mine")
    assert cache.clear() == 3
    assert files(cache) == [other]
    assert cache.read("a", "a") is None


def test_the_oldest_are_dropped_when_there_are_too_many(cache, monkeypatch):
    monkeypatch.setattr(module, "_ENTRIES", 3)
    for number in range(6):
        cache.write("a", str(number), number)
        newest = max(files(cache), key=lambda file: file.stat().st_ctime_ns)
        os.utime(newest, (1e9 + number, 1e9 + number))
    assert [cache.read("a", str(number)) for number in range(6)] == [None, None, None, 3, 4, 5]


def test_the_oldest_are_dropped_when_they_are_too_large(cache, monkeypatch):
    monkeypatch.setattr(module, "_BYTES", 2_500)
    for number in range(4):
        cache.write("a", str(number), "x" * 1_000)
        newest = max(files(cache), key=lambda file: file.stat().st_ctime_ns)
        os.utime(newest, (1e9 + number, 1e9 + number))
    assert sum(file.stat().st_size for file in files(cache)) <= 2_500
    assert cache.read("a", "3") == "x" * 1_000


def test_what_is_used_is_not_the_first_to_be_dropped(cache, monkeypatch):
    monkeypatch.setattr(module, "_ENTRIES", 2)
    cache.write("a", "old", 1)
    cache.write("a", "other", 2)
    for age, file in enumerate(files(cache)):
        os.utime(file, (1e9 + age, 1e9 + age))
    cache.read("a", "old")
    cache.write("a", "new", 3)
    assert cache.read("a", "old") == 1
    assert cache.read("a", "other") is None


def test_what_is_too_large_is_not_kept(cache, monkeypatch):
    monkeypatch.setattr(module, "_LARGEST", 3_000)
    cache.write("a", "key", "x" * 3_000)
    assert cache.read("a", "key") is None


def test_it_can_be_switched_off(cache, monkeypatch):
    cache.write("a", "key", 1)
    monkeypatch.setenv("KPI_NO_CACHE", "1")
    off = Cache(cache.folder)
    assert off.read("a", "key") is None
    off.write("a", "other", 1)
    assert len(files(cache)) == 1
    assert off.trouble() == "KPI_NO_CACHE is set"


def test_the_folder_is_that_of_the_platform_unless_one_is_named(monkeypatch, tmp_path):
    monkeypatch.delenv("KPI_CACHE_DIR", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert default_folder() == tmp_path / "xdg" / "kpi-engine"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_folder() == tmp_path / ".cache" / "kpi-engine"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_folder() == tmp_path / "Library" / "Caches" / "kpi-engine"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert default_folder() == tmp_path / "local" / "kpi-engine"
    monkeypatch.delenv("LOCALAPPDATA")
    assert default_folder() is None
    assert "KPI_CACHE_DIR names one" in Cache().problem
    monkeypatch.setenv("KPI_CACHE_DIR", str(tmp_path / "named"))
    assert default_folder() == tmp_path / "named" / "kpi-engine"


WRITER = """
import sys
from pathlib import Path
from kpi_engine.cache import Cache
cache, me = Cache(Path(sys.argv[1])), sys.argv[2]
for turn in range(150):
    for key in "abc":
        cache.write("definitions", key, [key, me, "x" * turn])
        found = cache.read("definitions", key)
        assert found is None or (found[0] == key and set(found[2]) <= {"x"}), found
assert not cache.problem, cache.problem
"""


def test_two_processes_do_not_disturb_each_other(tmp_path):
    root = Path(module.__file__).parent.parent
    command = [sys.executable, "-c", WRITER, str(tmp_path / "kept")]
    both = [
        subprocess.Popen([*command, name], env={**os.environ, "PYTHONPATH": str(root)}, stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for process in both:
        said = process.communicate()[1].decode()
        assert process.returncode == 0, said
    assert len(files(Cache(tmp_path / "kept"))) == 3


@given(st.lists(st.text()), st.randoms())
def test_a_digest_tells_texts_apart_wherever_their_borders_are(texts, dice: random.Random):
    whole = "".join(texts)
    place = dice.randint(0, len(whole))
    other = [whole[:place], whole[place:]]
    assert (digest(*texts) == digest(*other)) == (texts == other)
