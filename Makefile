# The recipes of the project. `make test` is what the README tells a user to run.
PYTHON ?= python3
VENV ?= .venv-test
SPARK_VENV ?= .venv-spark
OLD_VENV ?= .venv-test-duckdb-1.5
CLICKHOUSE_VENV ?= .venv-test-clickhouse
DLT_VENV ?= .venv-test-dlt
SNOWFLAKE_VENV ?= .venv-test-snowflake
BIGQUERY_VENV ?= .venv-bigquery
BENCH ?= build/bench
BIN := $(VENV)/bin

.PHONY: test test-plugins test-all test-dlt test-duckdb-1.5 test-spark test-clickhouse test-snowflake test-bigquery test-sync lint fix docs bench clean

test: $(VENV)/ready  ## install what the tests need, and run them against the built wheel
	$(BIN)/pytest -q -n 2 -m "not slow"

test-plugins: $(VENV)/ready  ## the plugins beside the engine, those on servers included, which the tests start
	$(BIN)/pytest -q plugins/kpi-output-markdown/tests
	$(BIN)/pytest -q plugins/kpi-format-metricflow/tests
	$(BIN)/pytest -q plugins/kpi-source-sqlite/tests
	$(BIN)/pytest -q plugins/kpi-source-postgres/tests
	$(BIN)/pytest -q plugins/kpi-source-rest/tests
	$(BIN)/pytest -q plugins/kpi-source-mysql/tests
	$(BIN)/pytest -q -m "not cluster" plugins/kpi-source-spark/tests

test-clickhouse: $(CLICKHOUSE_VENV)/ready  ## what runs on the engine of ClickHouse, which is large and has an environment of its own
	$(CLICKHOUSE_VENV)/bin/pytest -q plugins/kpi-source-clickhouse/tests

test-snowflake: $(SNOWFLAKE_VENV)/ready  ## what speaks Snowflake's protocol, on fakesnow, which needs a SQLGlot of its own
	$(SNOWFLAKE_VENV)/bin/pytest -q plugins/kpi-source-snowflake/tests

test-bigquery: $(VENV)/ready $(BIGQUERY_VENV)/ready  ## what speaks BigQuery's protocol, on bqemulator, which has an environment of its own
	KPI_TEST_BIGQUERY_EMULATOR=$(abspath $(BIGQUERY_VENV))/bin/bqemulator $(BIN)/pytest -q plugins/kpi-source-bigquery/tests

test-sync: $(VENV)/ready  ## what takes long of kpi sync: sixty kills at random points, damaged files, a Singer tap of others in an environment of its own
	$(BIN)/pytest -q -m slow tests/sync

test-all: $(VENV)/ready  ## the slow ones too
	$(BIN)/pytest -q -n 2

test-duckdb-1.5: $(OLD_VENV)/ready  ## the numbers on the older DuckDB that is supported
	$(OLD_VENV)/bin/pytest -q -n 2 -m "not slow" tests/engine tests/builtin tests/catalogue tests/formula tests/marketing

test-spark: $(VENV)/ready $(SPARK_VENV)/ready  ## the same numbers on a Spark cluster, which the tests start: it needs Java 17
	KPI_TEST_SPARK_HOME=$$($(SPARK_VENV)/bin/python -c "import pyspark; print(*pyspark.__path__)") $(BIN)/pytest -q -m cluster plugins/kpi-source-spark/tests

test-dlt: $(DLT_VENV)/ready  ## the plugin `kpi-source-dlt`, whose many dependencies have an environment of their own
	$(DLT_VENV)/bin/pytest -q plugins/kpi-source-dlt/tests

lint: $(VENV)/ready  ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fix: $(VENV)/ready  ## let the linter mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/ready  ## write the generated pages anew
	$(BIN)/python docs/generate.py

bench: $(VENV)/ready $(OLD_VENV)/ready  ## the engine beside hand-written SQL, over ten million rows, on both DuckDBs; writes docs/performance.md
	mkdir -p $(BENCH)
	$(BIN)/python benchmarks/run.py $(BENCH) --json $(BENCH)/figures.json --markdown docs/performance.md
	$(OLD_VENV)/bin/python benchmarks/run.py $(BENCH) --json $(BENCH)/figures-duckdb-1.5.json --markdown docs/performance.md

clean:
	rm -rf $(VENV) $(OLD_VENV) $(SPARK_VENV) $(DLT_VENV) $(CLICKHOUSE_VENV) $(SNOWFLAKE_VENV) $(BIGQUERY_VENV) dist build

SOURCES := pyproject.toml $(shell find kpi_engine definitions plugins -type f -not -path '*/__pycache__/*' 2>/dev/null)

$(VENV)/ready: $(SOURCES)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q --group test --group lint --group plugins/kpi-output-markdown/pyproject.toml:test --group plugins/kpi-source-postgres/pyproject.toml:test --group plugins/kpi-source-mysql/pyproject.toml:test --group plugins/kpi-source-spark/pyproject.toml:test --group plugins/kpi-source-rest/pyproject.toml:test --group plugins/kpi-source-bigquery/pyproject.toml:test .
	touch $@

$(OLD_VENV)/ready: $(SOURCES)
	$(PYTHON) -m venv $(OLD_VENV)
	$(OLD_VENV)/bin/python -m pip install -q --upgrade pip
	$(OLD_VENV)/bin/python -m pip install -q --group test . "duckdb==1.5.5"
	touch $@

$(SPARK_VENV)/ready:
	$(PYTHON) -m venv $(SPARK_VENV)
	$(SPARK_VENV)/bin/python -m pip install -q --upgrade pip
	$(SPARK_VENV)/bin/python -m pip install -q "pyspark==4.2.0"
	touch $@

$(DLT_VENV)/ready: $(SOURCES)
	$(PYTHON) -m venv $(DLT_VENV)
	$(DLT_VENV)/bin/python -m pip install -q --upgrade pip
	$(DLT_VENV)/bin/python -m pip install -q --group plugins/kpi-source-dlt/pyproject.toml:test .
	touch $@

$(CLICKHOUSE_VENV)/ready: $(SOURCES)
	$(PYTHON) -m venv $(CLICKHOUSE_VENV)
	$(CLICKHOUSE_VENV)/bin/python -m pip install -q --upgrade pip
	$(CLICKHOUSE_VENV)/bin/python -m pip install -q --group plugins/kpi-source-clickhouse/pyproject.toml:test .
	touch $@

$(SNOWFLAKE_VENV)/ready: $(SOURCES)
	$(PYTHON) -m venv $(SNOWFLAKE_VENV)
	$(SNOWFLAKE_VENV)/bin/python -m pip install -q --upgrade pip
	$(SNOWFLAKE_VENV)/bin/python -m pip install -q --group plugins/kpi-source-snowflake/pyproject.toml:test .
	touch $@

$(BIGQUERY_VENV)/ready: plugins/kpi-source-bigquery/pyproject.toml
	$(PYTHON) -m venv $(BIGQUERY_VENV)
	$(BIGQUERY_VENV)/bin/python -m pip install -q --upgrade pip
	$(BIGQUERY_VENV)/bin/python -m pip install -q --group plugins/kpi-source-bigquery/pyproject.toml:emulator
	$(BIGQUERY_VENV)/bin/python -c "import duckdb_extensions; duckdb_extensions.import_extension('spatial')"
	touch $@
