import { defineConfig } from "vitest/config";

/**
 * The extra suite that compares us with Apache Kafka's own artefacts. Not part of `npm test`: it needs Maven, a JDK
 * and the network once. Run: `test/conformance/fetch-kafka-clients.sh && npx vitest run -c test/conformance/vitest.config.ts`.
 */
// oxlint-disable-next-line import/no-default-export -- vitest asks for it
export default defineConfig({
  test: { include: ["test/conformance/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000 },
  root: new URL("../..", import.meta.url).pathname,
});
