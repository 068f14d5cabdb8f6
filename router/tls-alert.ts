/** Alerts that a TLS client is told before any handshake (RFC 8446, 6). All are fatal. */
const alertCodes = {
  unexpected_message: 10,
  decode_error: 50,
  protocol_version: 70,
  missing_extension: 109,
  unrecognized_name: 112,
} as const;

export type TlsAlert = keyof typeof alertCodes;

const alertRecord = 21;
const fatal = 2;

/** The record as it goes out, in the clear: no keys exist yet. Its version is TLS 1.2's, as in every first answer. */
export function formatAlert(alert: TlsAlert): Buffer {
  return Buffer.from([alertRecord, 3, 3, 0, 2, fatal, alertCodes[alert]]);
}
