"""A session on a Spark Connect server: one that answers in time, with the settings that the engine's SQL relies on."""

from __future__ import annotations

from queue import Empty, Queue
from time import monotonic
from typing import TYPE_CHECKING

import grpc
from pyspark.sql.connect.client.core import DefaultChannelBuilder
from pyspark.sql.connect.client.retries import DefaultPolicy
from pyspark.sql.connect.session import SparkSession

if TYPE_CHECKING:
    from kpi_source_spark.settings import SparkSettings

SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.variable.substitute": "false",
    "spark.sql.caseSensitive": "false",
}
"""What is too large is an error, decimals keep their digits, texts are what is written."""
RETRIES = 4
"""So often a request is sent again while the server is not there: for some seconds."""


class _Channel(DefaultChannelBuilder):
    """A channel that has reached its server."""

    def __init__(self, url: str, token: str, timeout: float) -> None:
        super().__init__(url)
        self._timeout = timeout
        if token:
            self.set(self.PARAM_TOKEN, token)

    def toChannel(self) -> grpc.Channel:  # noqa: N802 - the name is the client's
        """Connect; raise where the server refuses, or does not answer in time."""
        channel, states = super().toChannel(), Queue[grpc.ChannelConnectivity]()
        channel.subscribe(states.put, try_to_connect=True)
        end, said = monotonic() + self._timeout, ""
        while not said:
            try:
                state = states.get(timeout=max(0.0, end - monotonic()))
            except Empty:
                said = f"does not answer within {self._timeout:g} seconds"
                continue
            if state is grpc.ChannelConnectivity.READY:
                channel.unsubscribe(states.put)
                return channel
            if state is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                said = "cannot be reached"
        channel.close()
        message = f"{self.endpoint} {said}"
        raise TimeoutError(message)


def connected(settings: SparkSettings, token: str) -> SparkSession:
    """Open a session of its own, in the schema of the settings."""
    session = SparkSession(connection=_Channel(settings.remote, token, settings.connect_timeout))
    session.client.set_retry_policies([DefaultPolicy(max_retries=RETRIES)])
    try:
        for key, value in SESSION.items():
            session.conf.set(key, value)
        if settings.catalog:
            session.catalog.setCurrentCatalog(settings.catalog)
        if settings.schema_:
            session.catalog.setCurrentDatabase(settings.schema_)
    except BaseException:
        session.stop()
        raise
    return session
