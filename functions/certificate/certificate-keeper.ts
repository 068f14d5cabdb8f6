/** Keeps a usable certificate in the fleet's secret: one run of the function. */
import { type CertificateSecret, parseCertificateSecret } from "../../shared/container/certificate-secret.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Random } from "../../shared/ports/random.ts";
import {
  type ExportedCertificate,
  isChanged,
  type Judgement,
  judgeCertificate,
  openExport,
  passphraseOf,
} from "./certificate-core.ts";
import { passphraseBytes } from "./limits.ts";

/** Where renewed certificates come from. */
export interface CertificateExport {
  /** Errors: whatever keeps the certificate away (throttled, not issued yet, not exportable, no permission). */
  exportCertificate(passphrase: string): Promise<ExportedCertificate>;
}

/** The fleet's secret, from which brokers read. */
export interface CertificateStore {
  /** Undefined while it has no text. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

export interface CertificateKeeperOptions {
  /** Undefined: the operator fills the secret; it is looked at only. */
  readonly source: CertificateExport | undefined;
  readonly store: CertificateStore;
  /** What the certificate must be good for. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
}

/** `daysLeft`: of the certificate that is in the secret after the run; 0 when there is none. */
export type Kept =
  | { readonly kind: "unchanged" | "renewed"; readonly daysLeft: number }
  | { readonly kind: "failed"; readonly why: string; readonly error?: unknown; readonly daysLeft: number };

const dayMs = 86_400_000;

/**
 * Puts the exported certificate into the secret when it is another one than the secret has, and brokers could use it. A
 * certificate that they could not use never replaces one that is there. Rejects when the secret cannot be read or written.
 */
export async function keepCertificate(options: CertificateKeeperOptions): Promise<Kept> {
  const { source, store, names, clock, random } = options;
  const wanted = { names, nowMs: clock.wallMs() };
  const kept = contentOf(await store.read());
  const judged: Judgement =
    kept === undefined
      ? { kind: "refused", why: "the secret holds no certificate yet", endsMs: undefined }
      : judgeCertificate(kept, wanted);
  const daysLeft = daysUntil(judged.endsMs, wanted.nowMs);
  if (source === undefined) {
    return judged.kind === "usable" ? { kind: "unchanged", daysLeft } : { kind: "failed", why: judged.why, daysLeft };
  }
  const passphrase = passphraseOf(random.bytes(passphraseBytes));
  let exported: ExportedCertificate;
  try {
    exported = await source.exportCertificate(passphrase);
  } catch (error) {
    return { kind: "failed", why: "the certificate could not be exported", error, daysLeft };
  }
  const opened = openExport(exported, passphrase);
  if (opened.kind === "refused") return { kind: "failed", why: opened.why, daysLeft };
  const fresh = judgeCertificate(opened.secret, wanted);
  if (fresh.kind === "refused") return { kind: "failed", why: `the exported certificate: ${fresh.why}`, daysLeft };
  if (!isChanged(kept, opened.secret)) return { kind: "unchanged", daysLeft };
  await store.write(JSON.stringify(opened.secret));
  return { kind: "renewed", daysLeft: daysUntil(fresh.endsMs, wanted.nowMs) };
}

/** A new secret holds what Secrets Manager put there. */
function contentOf(text: string | undefined): CertificateSecret | undefined {
  try {
    return parseCertificateSecret(text ?? "");
  } catch {
    return undefined;
  }
}

function daysUntil(endsMs: number | undefined, nowMs: number): number {
  return endsMs === undefined ? 0 : Math.max(0, Math.floor((endsMs - nowMs) / dayMs));
}
