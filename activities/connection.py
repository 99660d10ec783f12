"""How every process of ours reaches Temporal: one client, one converter, one runtime."""

import logging

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from caravan.settings import Settings, SettingsError


async def connect(settings: Settings, runtime: Runtime | None = None) -> Client:
    """The Temporal client every process of ours uses: one converter, TLS and key by setting.

    Raises:
        SettingsError: nobody answers; names the address and the setting.
    """
    try:
        return await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            tls=settings.temporal_tls,
            api_key=settings.temporal_api_key,
            data_converter=pydantic_data_converter,
            runtime=runtime,
        )
    except RuntimeError as error:
        raise SettingsError(
            f"No Temporal server answers at {settings.temporal_address} (setting TEMPORAL_ADDRESS): "
            "start one, or run `caravan up`"
        ) from error


def runtime_with(metrics: str | None) -> Runtime:
    """Temporal's runtime: its logs go the way of ours, its metrics and ours to one endpoint.

    Raises:
        SettingsError: the endpoint of the metrics cannot be had.
    """
    forwarding = LogForwardingConfig(
        logger=logging.getLogger("temporal"), append_log_fields_to_message=False
    )
    try:
        return Runtime(
            telemetry=TelemetryConfig(
                logging=LoggingConfig(
                    TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding
                ),
                metrics=PrometheusConfig(
                    bind_address=metrics, counters_total_suffix=True, durations_as_seconds=True
                )
                if metrics
                else None,
                attach_service_name=False,
            )
        )
    except (RuntimeError, ValueError) as error:
        raise SettingsError(
            f"Metrics cannot be served on {metrics} (--metrics-port, METRICS_PORT): {error}"
        ) from None
