import { expect, test } from "vitest";
import { defaultDataDirectory } from "../../../local/data-directory.ts";
import { formatTable, summaryLine, summaryText } from "../../../local/summary.ts";

const summary = {
  cell: "local-abcde",
  lkc: "lkc-dev",
  brokers: [
    { id: 1, cell: "local-abcde", pid: 11, port: 9092, tlsPort: 9192, adminPort: 9292 },
    { id: 4, cell: "local-abcde", pid: 12, port: 9093, tlsPort: 9193, adminPort: 9293 },
  ],
  api: "http://127.0.0.1:9080",
  apiKey: { id: "KEY", secret: "SECRET" },
  apiKeyFile: "data/api-key.json",
  router: {
    pid: 13,
    port: 9392,
    adminPort: 9393,
    bootstrap: "lkc-dev.balafon.localhost:9392",
    hostsLine: "127.0.0.1 lkc-dev.balafon.localhost",
  },
  clientPropertiesFile: "data/client.properties",
  librdkafkaPropertiesFile: "data/librdkafka.properties",
  clientProperties: "security.protocol=SASL_SSL\n",
  chosenConfigs: {},
  dataDirectory: "data",
  readyMs: 1234,
};

test("the line of JSON has the fields that programs count on", () => {
  expect(JSON.parse(summaryLine(summary))).toEqual({
    bootstrap: "127.0.0.1:9092,127.0.0.1:9093",
    routerBootstrap: "lkc-dev.balafon.localhost:9392",
    lkc: "lkc-dev",
    router: { pid: 13, port: 9392, adminPort: 9393 },
    brokers: summary.brokers,
    api: "http://127.0.0.1:9080",
    apiKey: { id: "KEY", secret: "SECRET" },
    clientProperties: "data/client.properties",
    readyMs: 1234,
  });
  expect(summaryLine(summary)).not.toContain("\n");
});

test("what was set for the cell is told at each start: it is kept", () => {
  expect(summaryText(summary)).not.toContain("--set");
  const chosen = { "num.partitions": "6", "auto.create.topics.enable": "false" };
  expect(summaryText({ ...summary, chosenConfigs: chosen })).toContain(
    "The cell has num.partitions=6, auto.create.topics.enable=false (of --set, or of a start with fewer brokers; kept until --set says otherwise)",
  );
});

test("the text has addresses, a line to paste and the client's properties", () => {
  const text = summaryText(summary);
  expect(text).toContain("1       11       127.0.0.1:9092  127.0.0.1:9192  http://127.0.0.1:9292/metrics");
  expect(text).toContain("kcat -b localhost:9092 -t hello -P");
  expect(text).toContain("  security.protocol=SASL_SSL");
});

test("the command to try names the data directory, unless it is the default one", () => {
  const tried = (dataDirectory: string) =>
    /npm run broker -- (kill .*?) {2}/.exec(summaryText({ ...summary, dataDirectory }))?.[1];
  expect(tried(defaultDataDirectory)).toBe("kill 1");
  expect(tried("/tmp/b")).toBe("kill 1 --data /tmp/b");
  expect(tried("/tmp/my 'b'")).toBe(String.raw`kill 1 --data '/tmp/my '\''b'\'''`);
});

test("a tenant's name cannot write to the terminal of whoever lists it", () => {
  expect(formatTable([["a\nb\u001b[2Jc", "d"]])).toBe("  a\ufffdb\ufffd[2Jc  d\n");
});
