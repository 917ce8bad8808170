"""The packs that ship with the engine, and those that are installed."""

from __future__ import annotations

import pytest

from kpi_engine.definitions import packs


def test_the_marketing_pack_is_found_by_name():
    assert "marketing" in packs.shipped()
    assert packs.folder("marketing").is_dir()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../marketing", "marketing/..", "/etc", "no_such_pack", "Marketing", "a\0b", "marketing\n"]
)
def test_nothing_else_is_a_pack(name):
    assert packs.folder(name) is None


def test_packs_are_folders_in_order(tmp_path, monkeypatch):
    for name in ("web", "ads", ".hidden", "__pycache__"):
        (tmp_path / name).mkdir()
    (tmp_path / "readme").write_text("")
    monkeypatch.setattr(packs, "_shelf", lambda: tmp_path)
    assert packs.shipped() == ("ads", "web")
    assert packs.folder("ads") == tmp_path / "ads"
    assert packs.folder("readme") is None


def test_without_a_shelf_there_are_no_packs(monkeypatch):
    monkeypatch.setattr(packs, "_shelf", lambda: None)
    assert packs.shipped() == ()
    assert packs.folder("marketing") is None


def test_the_packs_of_the_wheel_come_before_those_beside_the_source(tmp_path, monkeypatch):
    package = tmp_path / "kpi_engine"
    monkeypatch.setattr(packs, "__file__", str(package / "definitions" / "packs.py"))
    assert packs.shipped() == ()
    (tmp_path / "definitions" / "beside").mkdir(parents=True)
    assert packs.shipped() == ("beside",)
    (package / "packs" / "inside").mkdir(parents=True)
    assert packs.shipped() == ("inside",)
