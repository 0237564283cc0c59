# One image for every app; docker-compose.yml says which one a container runs.
FROM node:24-bookworm-slim AS build
WORKDIR /tickfold
COPY package.json package-lock.json .npmrc ./
COPY libs/app-runtime/package.json libs/app-runtime/
COPY libs/broker/package.json libs/broker/
COPY libs/evaluation/package.json libs/evaluation/
COPY libs/history/package.json libs/history/
COPY libs/kafka-protocol/package.json libs/kafka-protocol/
COPY libs/log-engine/package.json libs/log-engine/
COPY libs/market/package.json libs/market/
COPY libs/models/package.json libs/models/
COPY libs/promotion/package.json libs/promotion/
COPY libs/query/package.json libs/query/
COPY libs/stream/package.json libs/stream/
COPY libs/supervisor/package.json libs/supervisor/
COPY libs/testkit/package.json libs/testkit/
COPY libs/volumes/package.json libs/volumes/
COPY apps/analytics/package.json apps/analytics/
COPY apps/broker/package.json apps/broker/
COPY apps/cli/package.json apps/cli/
COPY apps/cli/bin apps/cli/bin
COPY apps/decisions/package.json apps/decisions/
COPY apps/enrichment/package.json apps/enrichment/
COPY apps/history/package.json apps/history/
COPY apps/ingest/package.json apps/ingest/
COPY apps/web/client/package.json apps/web/client/
COPY apps/web/server/package.json apps/web/server/
COPY e2e/package.json e2e/
RUN npm ci --no-audit --no-fund --loglevel=error
COPY . .
RUN node -e "import('./tools/set-up.mjs').then((setUp) => setUp.build())" \
 && npm prune --omit=dev --no-audit --no-fund --loglevel=error

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /tickfold
COPY --from=build --chown=node:node /tickfold ./
RUN mkdir -p /data/market/tables && chown -R node:node /data
USER node
CMD ["node", "apps/broker/dist/main.js"]
