import type { Timers } from "../ports/timers.ts";

export interface SecretRefreshOptions {
  /** The secret's text. */
  readonly readSecret: () => Promise<string>;
  /** Takes the text when it is another one than before; rejects when it is of no use. */
  readonly write: (text: string) => Promise<void>;
  readonly timers: Timers;
  /** A change could not be read or taken; what was there before stays in use. */
  readonly onFailed: (error: unknown) => void;
}

/** How often a changed secret is looked for. */
export const secretRefreshMs = 600_000;

/** Hands on a secret's text, now and whenever it was changed. Rejects when there is none to begin with. */
export async function keepSecretFresh({ readSecret, write, timers, onFailed }: SecretRefreshOptions): Promise<void> {
  let written: string | undefined;
  const refresh = async () => {
    const text = await readSecret();
    if (text === written) return;
    await write(text);
    written = text;
  };
  const again = () => {
    timers.after(secretRefreshMs, () => {
      refresh().catch(onFailed).finally(again);
    });
  };
  await refresh();
  again();
}
