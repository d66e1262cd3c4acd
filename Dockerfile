# One image for every process: `likeness api`, `worker`, `relay`, `scheduler`, `migrate up`.

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/likeness
ENV PATH=/opt/likeness/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.lock requirements-dev.lock ./
RUN pip install --no-deps --require-hashes -r requirements.lock
# What builds the project itself, with the hashes of the developers' lock file; not in the image.
RUN python -m venv /opt/builder \
 && awk '/^[a-z]/ { keep = /^(hatchling|editables|packaging|pathspec|pluggy|trove-classifiers)==/ } keep' \
      requirements-dev.lock > build.lock \
 && /opt/builder/bin/pip install --no-deps --require-hashes -r build.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY domain domain
COPY application application
COPY adapters adapters
COPY entrypoints entrypoints
RUN /opt/builder/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && pip install --no-deps /wheels/*.whl

FROM python:3.13-slim
RUN useradd --system --create-home --home-dir /var/lib/likeness likeness
COPY --from=build /opt/likeness /opt/likeness
ENV PATH=/opt/likeness/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LIKENESS_ENV=production \
    LIKENESS_DATA_DIR=/var/lib/likeness/data \
    LIKENESS_HOST=0.0.0.0 \
    LIKENESS_PORT=8000
USER likeness
WORKDIR /var/lib/likeness
RUN mkdir data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["likeness"]
CMD ["api"]
