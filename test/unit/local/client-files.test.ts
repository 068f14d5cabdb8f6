import { expect, test } from "vitest";
import { credentialsIn, javaClientProperties, librdkafkaProperties } from "../../../local/client-files.ts";

const access = { bootstrap: "127.0.0.1:9192", authorityFile: "/data/tls/ca.pem" };
const credentials = { keyId: "KEY", secret: "bls1_s-_cret" };

test("the key is found again in what was written for Java", () => {
  expect(credentialsIn(javaClientProperties(access, credentials))).toEqual(credentials);
});

test.each(["", "bootstrap.servers=x\n", 'username="" password=""', "\u0000garbage"])("%j holds no key", (text) => {
  expect(credentialsIn(text)).toBeUndefined();
});

test("both families of clients get the same address, authority and key", () => {
  for (const text of [javaClientProperties(access, credentials), librdkafkaProperties(access, credentials)]) {
    expect(text).toContain("bootstrap.servers=127.0.0.1:9192\n");
    expect(text).toContain("=/data/tls/ca.pem\n");
    expect(text).toContain("bls1_s-_cret");
    expect(text).toContain("security.protocol=SASL_SSL\n");
  }
});
