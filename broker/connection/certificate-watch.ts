import { readFile } from "node:fs/promises";
import type { ListenerConfig, SaslSslListener } from "../../shared/broker-config/broker-config.ts";
import type { CancelTimer, Timers } from "../../shared/ports/timers.ts";
import type { Logger } from "../../shared/telemetry/logger.ts";
import { certificateCheckMs } from "./limits.ts";
import type { TlsMaterial } from "./listener.ts";

export interface CertificateWatchOptions {
  readonly timers: Timers;
  readonly logger: Logger;
  /** Takes new material into use for new connections; throws when it is not valid (a key that does not fit, half a file). */
  readonly use: (listener: string, material: TlsMaterial) => void;
}

type CertificateFiles = Pick<SaslSslListener, "keyFile" | "certificateFile">;

export async function readCertificate({ keyFile, certificateFile }: CertificateFiles): Promise<TlsMaterial> {
  const [key, cert] = await Promise.all([readFile(keyFile), readFile(certificateFile)]);
  return { key, cert };
}

/**
 * Reads the listeners' certificates again every `certificateCheckMs`, so that a renewed one is used without a restart.
 * Files that cannot be read, or do not fit together yet, change nothing: the next look may find both. Returns what ends it.
 */
export function watchCertificates(listeners: readonly ListenerConfig[], options: CertificateWatchOptions): () => void {
  const watched = listeners
    .filter((listener) => listener.protocol === "sasl_ssl")
    .map((listener) => ({ listener, seen: "" }));
  let ended = false;
  let cancel: CancelTimer = () => undefined;
  const look = async () => {
    for (const each of watched) each.seen = await takeRenewed(each, options);
  };
  const plan = () => {
    if (ended) return;
    cancel = options.timers.after(certificateCheckMs, () => void look().then(plan));
  };
  void look().then(plan);
  return () => {
    ended = true;
    cancel();
  };
}

/** Returns what is in the files now, as one text; the first look only remembers. */
async function takeRenewed(
  { listener, seen }: { readonly listener: SaslSslListener; readonly seen: string },
  { logger, use }: CertificateWatchOptions,
): Promise<string> {
  try {
    const material = await readCertificate(listener);
    const text = `${String(material.key)}\n${String(material.cert)}`;
    if (text === seen) return seen;
    if (seen !== "") {
      use(listener.name, material);
      logger.info("certificate-renewed", { listener: listener.name });
    }
    return text;
  } catch (error) {
    logger.warn("certificate-not-renewed", { listener: listener.name, error });
    return seen;
  }
}
