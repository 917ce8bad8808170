"""Projects over real data: each is copied with the files it needs, so that the engine meets an ordinary project folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
FILES = {
    "airline_mentions": ("airline_tweets.csv",),
    "blog_log": ("apache_logs.log",),
    "facebook_posts": ("facebook_posts.csv",),
    "lead_funnel": ("olist_mqls.csv", "olist_closed_deals.csv"),
    "media_weekly": ("media_online_weekly.csv",),
    "web_graph": ("hollins.dat",),
}


@pytest.fixture(scope="session")
def real_data(real_file: Callable[[str], Path]) -> Callable[[str], Path]:
    """Give the path of a file of real data."""
    return real_file


@pytest.fixture(scope="session")
def real_project(tmp_path_factory: pytest.TempPathFactory, real_file: Callable[[str], Path]) -> Callable[[str], Path]:
    """Copy a project of this folder with its data, and give the copy's folder."""

    def copied(name: str) -> Path:
        project = tmp_path_factory.mktemp("real") / name
        shutil.copytree(HERE / name, project)
        (project / "data").mkdir()
        for file in FILES[name]:
            shutil.copyfile(real_file(file), project / "data" / file)
        return project

    return copied


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest, real_project: Callable[[str], Path]) -> Iterator[object]:
    """Open the project that the test module names in `PROJECT`."""
    import kpi_engine

    with kpi_engine.open(real_project(request.module.PROJECT)) as opened:
        yield opened
