# syntax=docker/dockerfile:1
# Two images: `node`, for a cluster (infra/compose/compose.yaml, infra/k8s), and `one-node`, which brings local servers of its own. docs/deployment.md

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24.21.0-bookworm-slim AS nats-server
WORKDIR /build
COPY infra/setup infra/setup
RUN ["node", "--input-type=module", "--eval", "import { fromRelease } from './infra/setup/nats-release.mjs'; await fromRelease('/build');"]

FROM node:24.21.0-bookworm-slim AS runtime
LABEL org.opencontainers.image.title="webhooks" \
      org.opencontainers.image.description="An event-sourced webhook delivery service" \
      org.opencontainers.image.licenses="MIT"
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json LICENSE ./
COPY domain domain
COPY projections projections
COPY infra infra
COPY services services
COPY clients/typescript/src clients/typescript/src
# All that is written lies in DATA_DIR, but for compiled code, which may be lost at any time.
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/tmp/compile-cache \
    HOST=0.0.0.0 \
    PORT=8080 \
    UV_THREADPOOL_SIZE=64 \
    DATA_DIR=/data
RUN install -d -o node -g node -m 0700 /data
VOLUME /data
EXPOSE 8080
# By number: Kubernetes cannot tell whether a name is root.
USER 1000:1000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# V8 makes all as young: infra/local/node-program.ts says why.
ENTRYPOINT ["node", "--no-allocation-site-pretenuring", "--disable-warning=ExperimentalWarning", "services/main.ts"]

FROM runtime AS one-node
COPY --from=nats-server /build/unpacked/nats-server /usr/local/bin/nats-server
CMD []

FROM runtime AS node
CMD ["projector", "relay", "delivery", "gateway"]
