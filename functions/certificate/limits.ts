/** Random bytes behind the passphrase under which a key is exported: it lives for one call. ACM takes 4 to 128 characters. */
export const passphraseBytes = 32;
/** How often one call is tried when ACM or Secrets Manager throttles; a run that fails is tried again by Lambda, and within twelve hours. */
export const callAttemptsMax = 4;
