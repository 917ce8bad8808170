from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent

import pytest
from planted_plugins import describe, good_output, good_source, install

import kpi_engine
from kpi_engine.api import PluginError
from kpi_engine.builtin.sources.files import FilesSource
from kpi_engine.definitions.packs import shipped
from kpi_engine.plugins import PluginInfo, Plugins

pytestmark = pytest.mark.usefixtures("site")

BUILT_IN = {
    ("source", "files"),
    ("source", "duckdb"),
    ("source", "singer"),
    ("output", "table"),
    ("output", "json"),
    ("output", "csv"),
    ("output", "html"),
    ("transform", "pagerank"),
    ("transform", "harmonic_centrality"),
    ("secret", "env"),
    ("secret", "file"),
    *(("pack", name) for name in shipped()),
}

FAULTS = {
    "raises": ("raise RuntimeError('boom')", "RuntimeError: boom (kpi_output_raises.py, line 1)"),
    "exits": ("import sys; sys.exit('enough')", "SystemExit: enough"),
    "exits-in-hook": (
        "from kpi_engine.api import hookimpl\n@hookimpl\ndef outputs(): raise SystemExit(3)\n",
        "outputs(): SystemExit: 3",
    ),
    "base-exception": ("class Odd(BaseException): pass\nraise Odd('strange')", "Odd: strange"),
    "unprintable": (
        "class Mute(Exception):\n    def __str__(self): raise ValueError\nraise Mute",
        "Mute: <exception str() failed>",
    ),
    "syntax": ("def broken(:\n", "SyntaxError: invalid syntax (kpi_output_syntax.py, line 1)"),
    "lacks-library": (
        "import no_such_library_anywhere",
        "ModuleNotFoundError: No module named 'no_such_library_anywhere'",
    ),
    "wrong-answer": (
        "from kpi_engine.api import hookimpl\n@hookimpl\ndef outputs(): return {'csv': 1}\n",
        "outputs(): TypeError: gave dict, a list of classes is expected",
    ),
    "no-answer": (
        "from kpi_engine.api import hookimpl\n@hookimpl\ndef outputs(): pass\n",
        "outputs(): TypeError: gave None, a list of classes is expected",
    ),
    "no-class": (
        "from kpi_engine.api import hookimpl\n@hookimpl\ndef outputs(): return ['csv']\n",
        "announces 'csv' as an output; a class is expected",
    ),
    "no-marker": ("def outputs(): return []\n", "the function `outputs` lacks the marker `@hookimpl`"),
    "unknown-hook": (
        "from kpi_engine.api import hookimpl\n@hookimpl\ndef output(): return []\n",
        "PluginValidationError: unknown hook 'output'",
    ),
    "wrong-arguments": (
        "from kpi_engine.api import hookimpl\n@hookimpl\ndef outputs(engine): return []\n",
        "PluginValidationError:",
    ),
}

SHAPES = {
    "name": (
        "output",
        "class Odd:\n    Config = BaseModel\n    suffix = ''\n    def render(self, report, target): pass",
        "needs a `name`",
    ),
    "name-with-blanks": (
        "output",
        "class Odd:\n    name = 'my output'\n    Config = BaseModel\n    suffix = ''\n    def render(self, report, target): pass",
        "needs a `name`",
    ),
    "config": (
        "output",
        "class Odd:\n    name = 'odd'\n    suffix = ''\n    def render(self, report, target): pass",
        "needs a `Config`",
    ),
    "plain-config": (
        "source",
        "class Odd:\n    name = 'odd'\n    class Config: pass\n    def tables(self): pass\n    def scan(self, scan): pass",
        "needs a `Config`, a subclass of pydantic's BaseModel",
    ),
    "render": (
        "output",
        "class Odd:\n    name = 'odd'\n    Config = BaseModel\n    suffix = ''",
        "needs the method `render`",
    ),
    "suffix": (
        "output",
        "class Odd:\n    name = 'odd'\n    Config = BaseModel\n    def render(self, report, target): pass",
        "needs a `suffix`",
    ),
    "tables": (
        "source",
        "class Odd:\n    name = 'odd'\n    Config = BaseModel\n    def scan(self, scan): pass",
        "needs the method `tables`",
    ),
    "reader": (
        "source",
        "class Odd:\n    name = 'odd'\n    Config = BaseModel\n    def tables(self): pass",
        "needs the method `relation`, `scan` or `query`, or `streams` and `read`",
    ),
    "stream": (
        "source",
        "class Odd:\n    name = 'odd'\n    Config = BaseModel\n    def streams(self): pass",
        "needs the method `read`",
    ),
    "transform": (
        "transform",
        "class Odd:\n    name = 'odd'\n    Config = BaseModel\n    def needs(self): pass",
        "needs the method `columns` and needs the method `apply`",
    ),
}


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    """A folder of installed distributions, on the search path for this test only."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delenv("KPI_DISABLE_PLUGINS", raising=False)
    loaded = set(sys.modules)
    yield folder
    for module in set(sys.modules) - loaded:
        if module.startswith(("kpi_output_", "kpi_source_", "kpi_project_")):
            del sys.modules[module]


def listed(plugins: Plugins) -> dict[str, PluginInfo]:
    return {info.name: info for info in plugins.listing()}


def refused(ask, word: str) -> PluginError:
    with pytest.raises(PluginError) as caught:
        ask(word)
    return caught.value


class TestBuiltIn:
    def test_what_ships_is_announced_by_the_same_hooks(self):
        info = listed(Plugins(None))["builtin"]
        assert set(info.provides) == BUILT_IN
        assert (info.status, info.error, info.distribution) == ("ok", "", "kpi-engine-core")

    def test_it_works_without_installed_metadata_and_takes_the_version_from_it(self, site):
        assert listed(Plugins(None))["builtin"].origin == "kpi_engine.builtin"
        describe(site, "kpi-engine-core", {"builtin": "kpi_engine.builtin"}, version="9.9")
        plugins = Plugins(None)
        assert [info.version for info in plugins.listing() if info.name == "builtin"] == ["9.9"]
        assert plugins.source("files") is FilesSource

    def test_each_kind_is_asked_for_on_its_own(self, site):
        """Asking for an output imports neither the sources nor DuckDB."""
        program = """
            import sys
            from kpi_engine.plugins import Plugins
            assert Plugins(None).output("json").name == "json"
            loaded = [name for name in sys.modules if name == "duckdb" or "builtin.sources" in name or "builtin.transforms" in name]
            assert not loaded, loaded
        """
        assert run(program, site).returncode == 0

    def test_words_name_what_can_be_used(self):
        assert Plugins(None).words("source") == ("duckdb", "files", "singer")


class TestIsolation:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_a_broken_plugin_is_listed_and_the_rest_works(self, site, fault):
        code, reason = FAULTS[fault]
        install(site, f"kpi-output-{fault}", code)
        install(site, "kpi-output-fine", good_output("fine"))
        plugins = Plugins(None)
        info = listed(plugins)[fault]
        assert info.status == "broken"
        assert reason in info.error
        assert "\n" not in info.error
        assert (info.distribution, info.version, info.provides) == (f"kpi-output-{fault}", "1.0", ())
        assert plugins.output("fine").name == "fine"
        assert plugins.output("csv").name == "csv"
        assert listed(plugins)["builtin"].status == "ok"

    @pytest.mark.parametrize("shape", SHAPES)
    def test_a_class_of_the_wrong_shape_is_broken_with_the_reason(self, site, shape):
        kind, cls, reason = SHAPES[shape]
        code = f"from pydantic import BaseModel\nfrom kpi_engine.api import hookimpl\n{cls}\n@hookimpl\ndef {kind}s(): return [Odd]\n"
        install(site, f"kpi-output-{shape}", code)
        plugins = Plugins(None)
        assert listed(plugins)[shape].status == "broken"
        assert reason in listed(plugins)[shape].error
        assert listed(plugins)["builtin"].status == "ok"
        ask = {"source": plugins.source, "output": plugins.output, "transform": plugins.transform}[kind]
        assert refused(ask, "odd").code in ("broken_plugin", "unknown_plugin")

    def test_a_good_class_beside_a_bad_one_works(self, site):
        code = dedent(good_output("fine")).replace("return [Good]", "return [Good, type('Bad', (), {'name': 'bad'})]")
        install(site, "kpi-output-mixed", code)
        plugins = Plugins(None)
        assert plugins.output("fine").name == "fine"
        error = refused(plugins.output, "bad")
        assert error.code == "broken_plugin"
        assert "`mixed` (kpi-output-mixed 1.0)" in error.message
        assert listed(plugins)["mixed"].status == "broken"

    def test_one_plugin_may_not_announce_a_word_twice(self, site):
        install(site, "kpi-output-twice", dedent(good_output("twice")).replace("return [Good]", "return [Good, Good]"))
        error = refused(Plugins(None).output, "twice")
        assert error.code == "broken_plugin"
        assert "announces two outputs named `twice`" in error.message

    def test_an_entry_point_that_points_nowhere_is_broken(self, site):
        describe(site, "kpi-output-gone", {"gone": "kpi_output_gone:plugin"})
        assert "ModuleNotFoundError" in listed(Plugins(None))["gone"].error

    @pytest.mark.parametrize(
        "text", ["[kpi_engine\nbad", "[kpi_engine]\n= x\n", "[kpi_engine]\nx = \n", "[kpi_engine]\nno value"]
    )
    def test_damaged_entry_points_stop_nobody(self, site, text):
        (describe(site, "kpi-output-damaged", {}) / "entry_points.txt").write_text(text)
        install(site, "kpi-output-fine", good_output("fine"))
        plugins = Plugins(None)
        assert plugins.output("fine").name == "fine"
        assert plugins.listing()

    def test_a_distribution_without_a_description_still_announces(self, site):
        install(site, "kpi-output-fine", good_output("fine"))
        (site / "kpi_output_fine-1.0.dist-info" / "METADATA").unlink()
        assert Plugins(None).output("fine").name == "fine"

    def test_a_distribution_that_is_found_twice_counts_once(self, site, tmp_path, monkeypatch):
        install(site, "kpi-output-fine", good_output("fine"))
        install(tmp_path / "older", "kpi-output-fine", good_output("fine"), version="0.1")
        monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "older")])
        plugins = Plugins(None)
        assert [info.version for info in plugins.listing() if info.name == "fine"] == ["1.0"]
        assert plugins.output("fine").name == "fine"

    def test_a_plugin_without_hooks_brings_nothing_and_is_no_fault(self, site):
        install(site, "kpi-pack-shop", "WORDS = 1", name="shop")
        info = listed(Plugins(None))["shop"]
        assert (info.status, info.provides) == ("ok", ())

    def test_ctrl_c_while_loading_stops_everything(self, site):
        install(site, "kpi-output-slow", "raise KeyboardInterrupt")
        with pytest.raises(KeyboardInterrupt):
            Plugins(None).listing()

    def test_all_faults_at_once_in_a_process_of_its_own(self, site):
        for fault, (code, _) in FAULTS.items():
            install(site, f"kpi-output-{fault}", code)
        install(site, "kpi-output-mine", good_output("csv"))
        program = """
            import json
            from kpi_engine.plugins import Plugins
            plugins = Plugins(None)
            print(json.dumps({info.name: info.status for info in plugins.listing()}))
            assert plugins.source("files").name == "files"
        """
        done = run(program, site)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"builtin": "ok", "mine": "conflict", **dict.fromkeys(FAULTS, "broken")}


class TestConflicts:
    def test_two_plugins_that_claim_one_word_are_both_in_conflict(self, site):
        install(site, "kpi-output-one", good_output("slides"))
        install(site, "kpi-output-two", good_output("slides"))
        plugins = Plugins(None)
        one, two = listed(plugins)["one"], listed(plugins)["two"]
        assert (one.status, two.status) == ("conflict", "conflict")
        assert "`two` (kpi-output-two 1.0)" in one.error
        assert "`one` (kpi-output-one 1.0)" in two.error
        error = refused(plugins.output, "slides")
        assert error.code == "conflicting_plugin"
        assert "kpi-output-one" in error.message
        assert "kpi-output-two" in error.message

    def test_a_conflict_is_about_its_word_only(self, site):
        both = dedent(good_output("slides")).replace(
            "return [Good]", "return [Good, type('More', (Good,), {'name': 'more'})]"
        )
        install(site, "kpi-output-one", both)
        install(site, "kpi-output-two", good_output("slides"))
        assert Plugins(None).output("more").name == "more"

    def test_one_word_may_name_a_source_and_an_output(self, site):
        install(site, "kpi-output-one", good_output("sheets"))
        install(site, "kpi-source-one", good_source("sheets"), name="other")
        plugins = Plugins(None)
        assert plugins.output("sheets") is not plugins.source("sheets")
        assert {info.status for info in plugins.listing()} == {"ok"}

    def test_a_built_in_word_stays_the_built_in_one(self, site):
        install(site, "kpi-output-mine", good_output("csv"))
        plugins = Plugins(None)
        assert plugins.output("csv").__module__.startswith("kpi_engine.builtin")
        assert listed(plugins)["mine"].status == "conflict"
        assert "`csv` is built in" in listed(plugins)["mine"].error
        assert listed(plugins)["builtin"].status == "ok"

    def test_a_distribution_cannot_pass_for_the_built_in_one(self, site):
        install(site, "kpi-output-mine", good_output("csv"), name="builtin")
        describe(site, "kpi-output-other", {"builtin": "kpi_engine.builtin"})
        plugins = Plugins(None)
        assert plugins.output("csv").__module__.startswith("kpi_engine.builtin")
        assert [info.status for info in plugins.listing()] == ["ok", "conflict", "conflict"]

    @pytest.mark.parametrize("disabled", ["builtin", "kpi-engine-core", "KPI_Engine.Core", "builtin:csv"])
    def test_a_plugin_takes_a_built_in_word_once_the_built_in_one_is_disabled(self, site, disabled):
        install(site, "kpi-output-mine", good_output("csv"))
        plugins = Plugins(None, [disabled])
        assert plugins.output("csv").__module__ == "kpi_output_mine"
        assert listed(plugins)["mine"].status == "ok"
        assert "json" in plugins.words("output") or disabled != "builtin:csv"


class TestDisabling:
    @pytest.mark.parametrize("disabled", ["slides", "kpi-output-slides", "Kpi.Output_Slides"])
    def test_by_its_name_or_its_distribution_s_without_importing_it(self, site, disabled):
        module = install(site, "kpi-output-slides", good_output("slides"))
        plugins = Plugins(None, [disabled])
        assert listed(plugins)["slides"].status == "disabled"
        assert module not in sys.modules
        assert refused(plugins.output, "slides").code == "disabled_plugin"

    def test_by_a_word_it_provides(self, site):
        install(site, "kpi-output-decks", good_output("slides"))
        plugins = Plugins(None, ["slides"])
        info = listed(plugins)["decks"]
        assert (info.status, info.provides) == ("disabled", ())
        error = refused(plugins.output, "slides")
        assert error.code == "disabled_plugin"
        assert "kpi-output-decks" in error.message

    def test_by_the_environment(self, site, monkeypatch):
        install(site, "kpi-output-decks", good_output("slides"))
        monkeypatch.setenv("KPI_DISABLE_PLUGINS", " other, slides ,")
        assert refused(Plugins(None).output, "slides").code == "disabled_plugin"

    def test_disabling_one_of_two_ends_a_conflict(self, site):
        install(site, "kpi-output-one", good_output("slides"))
        install(site, "kpi-output-two", good_output("slides"))
        for disabled in ("two", "two:slides"):
            plugins = Plugins(None, [disabled])
            assert plugins.output("slides").__module__ == "kpi_output_one"
            assert listed(plugins)["one"].status == "ok"
            assert listed(plugins)["two"].status == "disabled"

    def test_a_broken_plugin_can_be_disabled(self, site):
        install(site, "kpi-output-raises", "raise RuntimeError('boom')")
        assert listed(Plugins(None, ["raises"]))["raises"].status == "disabled"

    def test_a_built_in_word_can_be_disabled(self):
        plugins = Plugins(None, ["csv"])
        assert refused(plugins.output, "csv").code == "disabled_plugin"
        assert set(listed(plugins)["builtin"].provides) == BUILT_IN - {("output", "csv")}
        assert plugins.output("json").name == "json"


class TestUnknown:
    def test_the_nearest_name_is_said(self):
        error = refused(Plugins(None).source, "fils")
        assert error.code == "unknown_plugin"
        assert "did you mean `files`?" in error.hint

    def test_the_package_of_that_name_is_said(self):
        assert "`pip install kpi-source-postgres`" in refused(Plugins(None).source, "postgres").hint
        assert "`pip install kpi-output-power-point`" in refused(Plugins(None).output, "power_point").hint
        assert "`pip install kpi-transform-sentiment`" in refused(Plugins(None).transform, "sentiment").hint
        assert "`pip install kpi-format-cube`" in refused(Plugins(None).format, "cube").hint

    @pytest.mark.parametrize("word", ["x; rm -rf ~", "--index-url=http://evil", "Ünicode", ""])
    def test_only_a_plain_word_gets_into_a_command(self, word):
        error = refused(Plugins(None).source, word)
        assert error.code == "unknown_plugin"
        assert "pip install" not in error.hint

    def test_a_broken_plugin_of_that_name_is_the_answer(self, site):
        install(site, "kpi-source-postgres", "import no_such_library_anywhere", name="postgres")
        error = refused(Plugins(None).source, "postgres")
        assert error.code == "broken_plugin"
        assert "no_such_library_anywhere" in error.message

    def test_a_broken_plugin_of_another_name_is_mentioned(self, site):
        install(site, "kpi-source-sql", "raise RuntimeError", name="sql")
        assert "`sql`" in refused(Plugins(None).source, "postgres").hint


class TestProject:
    def plant(self, root: Path, name: str, code: str) -> None:
        (root / "plugins").mkdir(parents=True, exist_ok=True)
        (root / "plugins" / name).write_text(dedent(code))

    def test_a_single_file_is_a_plugin(self, tmp_path):
        self.plant(tmp_path, "slides.py", good_output("slides"))
        plugins = Plugins(tmp_path)
        info = listed(plugins)["slides"]
        assert info == PluginInfo(
            "slides", "", "", "ok", (("output", "slides"),), "", str(tmp_path / "plugins" / "slides.py")
        )
        assert plugins.output("slides").name == "slides"

    def test_without_a_project_none_is_loaded(self, tmp_path, monkeypatch):
        self.plant(tmp_path, "slides.py", good_output("slides"))
        monkeypatch.chdir(tmp_path)
        assert refused(Plugins(None).output, "slides").code == "unknown_plugin"

    def test_two_projects_may_hold_files_of_one_name(self, tmp_path):
        for project in ("a", "b"):
            self.plant(tmp_path / project, "slides.py", good_output(f"slides-{project}"))
        first, second = Plugins(tmp_path / "a"), Plugins(tmp_path / "b")
        assert first.words("output") != second.words("output")
        assert first.output("slides-a").__module__ != second.output("slides-b").__module__

    def test_a_broken_file_is_listed_and_the_others_work(self, tmp_path):
        self.plant(tmp_path, "bad.py", "raise RuntimeError('boom')")
        self.plant(tmp_path, "slides.py", good_output("slides"))
        self.plant(tmp_path, "_helper.py", "raise RuntimeError('not a plugin')")
        plugins = Plugins(tmp_path)
        assert listed(plugins)["bad"].error == "RuntimeError: boom (bad.py, line 1)"
        assert "_helper" not in listed(plugins)
        assert plugins.output("slides").name == "slides"
        assert listed(Plugins(tmp_path, ["bad"]))["bad"].status == "disabled"

    def test_a_file_may_use_dataclasses_with_late_annotations(self, tmp_path):
        code = (
            "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
        )
        self.plant(tmp_path, "slides.py", code + dedent(good_output("slides")))
        assert Plugins(tmp_path).output("slides").name == "slides"

    def test_a_file_that_claims_a_built_in_word_does_not_get_it(self, tmp_path):
        self.plant(tmp_path, "mine.py", good_output("csv"))
        plugins = Plugins(tmp_path)
        assert plugins.output("csv").__module__.startswith("kpi_engine.builtin")
        assert listed(plugins)["mine"].status == "conflict"


def test_many_threads_import_each_plugin_once(site):
    code = "import builtins\nbuiltins.kpi_loaded = getattr(builtins, 'kpi_loaded', 0) + 1\n"
    counted = dedent(good_output("slides")).replace(
        "def outputs():", "def outputs():\n    import builtins\n    builtins.kpi_loaded += 1"
    )
    install(site, "kpi-output-slides", code + counted)
    program = """
        import builtins
        from concurrent.futures import ThreadPoolExecutor
        from kpi_engine.plugins import Plugins
        plugins = Plugins(None)
        with ThreadPoolExecutor(16) as pool:
            found = set(pool.map(lambda _: plugins.output("slides"), range(200)))
        assert len(found) == 1
        assert builtins.kpi_loaded == 2, builtins.kpi_loaded
    """
    done = run(program, site)
    assert done.returncode == 0, done.stderr


def test_listing_and_asking_at_the_same_time_agree(site):
    install(site, "kpi-output-slides", good_output("slides"))
    plugins = Plugins(None)
    with ThreadPoolExecutor(8) as pool:
        listings = set(pool.map(lambda _: plugins.listing(), range(32)))
    assert len(listings) == 1


def run(program: str, site: Path) -> subprocess.CompletedProcess[str]:
    root = str(Path(kpi_engine.__file__ or kpi_engine.__path__[0]).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), root])}
    environment.pop("KPI_DISABLE_PLUGINS", None)
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(program)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
