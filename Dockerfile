# `refcap serve` in a container: docker build -t refcap . && docker run -e REFCAP_TOKEN=... -p 8080:8080 refcap
FROM node:22-slim AS build
WORKDIR /refcap
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:22-slim
WORKDIR /refcap
ENV NODE_ENV=production
# Models of the hub are kept here: mount a volume.
ENV HF_HOME=/models
RUN mkdir /models && chown node:node /models
COPY --from=build /refcap/package.json ./
COPY --from=build /refcap/node_modules node_modules
COPY --from=build /refcap/dist dist
COPY --from=build /refcap/models models
COPY --from=build /refcap/data data
COPY --from=build /refcap/LICENSE /refcap/NOTICE /refcap/THIRD_PARTY.md ./
USER node
VOLUME /models
EXPOSE 8080
HEALTHCHECK --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/health/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/cli/main.js", "serve", "--host", "0.0.0.0"]
