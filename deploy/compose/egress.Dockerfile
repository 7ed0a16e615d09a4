# The filtering proxy: Debian's Squid, not root, keeping nothing.
FROM debian:trixie-slim
# Debian's security updates are wanted whenever this is built, so no version is named.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends squid \
 && rm -rf /var/lib/apt/lists/*
COPY common.conf providers.conf webhooks.conf /etc/squid/
# Debian's "proxy"
USER 13:13
EXPOSE 3128
HEALTHCHECK --interval=10s --timeout=3s --retries=3 CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/3128"]
CMD ["squid", "-N", "-f", "/etc/squid/providers.conf"]
