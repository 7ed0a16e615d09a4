"""Traces go by OTLP (http) to where ``OTEL_EXPORTER_OTLP_ENDPOINT`` says; without it nothing is traced or loaded.

What a span may say is in ``observe/tracing.py``. The library's own variables (``OTEL_SERVICE_NAME``,
``OTEL_TRACES_SAMPLER``, ``OTEL_EXPORTER_OTLP_HEADERS``…) hold as usual.
"""

from __future__ import annotations

import os

from django.conf import settings

from observe import tracing


def start() -> bool:
    """Begin to trace in this process and those forked from it, if anybody wants that; whether anybody does."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "modelmyimage"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    tracing.switch_on(provider)
    return True
