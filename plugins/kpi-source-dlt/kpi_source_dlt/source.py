"""The source `dlt`: what a source or resource of dlt extracts, kept by `kpi sync` together with dlt's own state."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from kpi_engine.api import Checkpoint, Rows, Stream
from kpi_source_dlt.program import Program

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kpi_engine.api import Message, SourceContext, Wanted

_BATCH = 20_000


class DltSettings(BaseModel):
    """The settings of the source `dlt`."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(
        description="Where the source or resource is: `module:name`, of a module in the project's folder or an installed one."
    )
    arguments: dict[str, Any] = Field(default={}, description="What it is called with, by name.")
    secrets: dict[str, SecretStr] = Field(
        default={},
        description="Arguments that are secret; a dotted name such as `config.client.auth.token` leads into `arguments`.",
    )
    resources: list[str] = Field(default=[], description="Which of its resources; without it, those that are selected.")
    python: str = Field(
        default="", description="The interpreter that has dlt, where it is another one than the engine's."
    )
    timeout: float = Field(default=3_600, gt=0, description="After so many seconds it is stopped.")

    @field_validator("source")
    @classmethod
    def _is_path(cls, value: str) -> str:
        module, _, name = value.partition(":")
        if not name.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
            message = "must be written `module:name`, such as `dlt.sources.rest_api:rest_api_source`"
            raise ValueError(message)
        return value


class DltSource:
    """The resources of a dlt source. dlt extracts and normalises in a process of its own, and keeps nothing."""

    name: ClassVar[str] = "dlt"
    Config: ClassVar[type[BaseModel]] = DltSettings

    def __init__(self, config: DltSettings, context: SourceContext) -> None:
        self._config, self._about, self._root = config, context.name, context.root

    def streams(self) -> Sequence[Stream]:
        """List the resources, each with its key; this calls the source, and fetches no rows."""
        with TemporaryDirectory(prefix="kpi-dlt-") as folder:
            answer = self._run({"task": "describe", "folder": folder})
        return [_stream(each) for each in answer["streams"]]

    def read(self, wanted: Sequence[Wanted], state: Any) -> Iterator[Message]:  # noqa: ANN401 - a JSON value
        """Give what dlt extracts since the state that it gave last; its state comes after the rows that it covers."""
        import pyarrow.parquet as pq

        names = [each.stream.name for each in wanted]
        with TemporaryDirectory(prefix="kpi-dlt-") as folder:
            answer = self._run({"task": "extract", "folder": folder, "streams": names, "state": state})
            for file in answer["files"]:
                path = Path(folder, file["path"])
                with pq.ParquetFile(path) as parquet:
                    columns = [name for name in parquet.schema_arrow.names if not name.startswith("_dlt_")]
                    for batch in parquet.iter_batches(_BATCH, columns=columns):
                        yield Rows(file["stream"], batch)
                path.unlink()
            yield Checkpoint(answer["state"])

    def _run(self, task: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        config = self._config
        secrets = {name: value.get_secret_value() for name, value in config.secrets.items()}
        program = Program(
            config.python, self._root, config.timeout, tuple(secrets.values()), self._about, config.source
        )
        return program.run(
            {
                **task,
                "source": config.source,
                "arguments": config.arguments,
                "secrets": secrets,
                "resources": config.resources,
            }
        )


def _stream(said: Mapping[str, Any]) -> Stream:
    return Stream(said["name"], key=tuple(said["key"]), loading=said["loading"])
