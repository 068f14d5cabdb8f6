import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { watchCertificates } from "../../../../broker/connection/certificate-watch.ts";
import type { TlsMaterial } from "../../../../broker/connection/listener.ts";
import type { SaslSslListener } from "../../../../shared/broker-config/broker-config.ts";
import { silentLogger } from "../../../../shared/telemetry/logger.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "balafon-watch-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Timers that a test lets go off: resolves once the watch, having looked, has planned the next look. */
class LooksByHand {
  #run: (() => void) | undefined;
  #planned = Promise.withResolvers<void>();
  afterTurn(): void {
    throw new Error("not used");
  }
  after(_ms: number, run: () => void): () => void {
    this.#run = run;
    this.#planned.resolve();
    return () => {
      this.#run = undefined;
    };
  }
  get pending(): boolean {
    return this.#run !== undefined;
  }
  planned(): Promise<void> {
    return this.#planned.promise;
  }
  async look(): Promise<void> {
    this.#planned = Promise.withResolvers();
    this.#run?.();
    await this.#planned.promise;
  }
}

test("renewed files are taken into use once, and files that do not fit yet are tried again", async () => {
  const certificateFile = path.join(directory, "server.pem");
  const keyFile = path.join(directory, "server.key");
  const write = (certificate: string, key: string) => {
    writeFileSync(certificateFile, certificate);
    writeFileSync(keyFile, key);
  };
  write("certificate 1", "key 1");
  const listener = { name: "ROUTED", protocol: "sasl_ssl", certificateFile, keyFile } as SaslSslListener;
  const timers = new LooksByHand();
  const used: string[] = [];
  const use = (name: string, { cert, key }: TlsMaterial) => {
    if (String(cert).at(-1) !== String(key).at(-1)) throw new Error("key values mismatch");
    used.push(`${name}: ${String(cert)}, ${String(key)}`);
  };
  const end = watchCertificates([listener], { timers, logger: silentLogger, use });
  await timers.planned();
  await timers.look();
  expect(used).toEqual([]);
  write("certificate 2", "key 1");
  await timers.look();
  expect(used).toEqual([]);
  write("certificate 2", "key 2");
  await timers.look();
  await timers.look();
  expect(used).toEqual(["ROUTED: certificate 2, key 2"]);
  rmSync(keyFile);
  await timers.look();
  write("certificate 3", "key 3");
  await timers.look();
  expect(used.at(-1)).toBe("ROUTED: certificate 3, key 3");
  end();
  expect(timers.pending).toBe(false);
});
