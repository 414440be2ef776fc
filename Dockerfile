# Sayso as an image: the wheel in a virtual environment, one unprivileged user, two volumes that never share a backup.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements/ requirements/
# The development lock brings hatchling, pinned by hash like everything else; none of it reaches the final image.
RUN python -m venv /build \
    && /build/bin/pip install --no-cache-dir --require-hashes -r requirements/dev.txt \
    && python -m venv /opt/sayso \
    && /opt/sayso/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt
COPY . .
RUN /build/bin/hatchling build -t wheel -d /wheel \
    && /opt/sayso/bin/pip install --no-cache-dir --no-deps /wheel/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/sayso sayso \
    && install -d -o sayso -g sayso -m 0700 /var/lib/sayso/data /var/lib/sayso/keys
COPY --from=build /opt/sayso /opt/sayso
ENV PATH=/opt/sayso/bin:$PATH PYTHONUNBUFFERED=1
USER sayso
# Keys do not lie beside the data: back the two up apart from each other (docs/operations/keys-and-backups.md).
VOLUME ["/var/lib/sayso/data", "/var/lib/sayso/keys"]
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/ready', timeout=2)"]
ENTRYPOINT ["sayso"]
CMD ["serve", "--data", "/var/lib/sayso/data", "--keys", "/var/lib/sayso/keys", "--host", "0.0.0.0", "--port", "8080"]
