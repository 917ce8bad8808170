"""Data of stream sources, fetched by `kpi sync` into the project's store and committed together with the state they belong to."""
