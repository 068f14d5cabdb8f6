/** What a deployment tells when it serves: a page for people, a line of JSON for programs. */
export interface DeployedSummary {
  readonly endpoint: string;
  /** The provisioning API's address, for a path after it. */
  readonly api: string;
  /** An operator's key. */
  readonly apiKeyFile: string;
  readonly lkc: string;
  readonly bootstrap: string;
  /** What the names of brokers must lead to. */
  readonly address: string;
  /** For a hosts file, where the system knows no names under `localhost`. */
  readonly hostsLine: string;
  readonly clientProperties: string;
  readonly librdkafkaProperties: string;
  readonly authorityFile: string;
  /** Data of brokers that run as processes of this machine; undefined: they run in containers. */
  readonly processes?: string;
}

/** One line, its newline left out. Later versions add fields and take none away. */
export function deployedLine(summary: DeployedSummary): string {
  return JSON.stringify(summary);
}

export function deployedText(summary: DeployedSummary): string {
  const { endpoint, api, apiKeyFile, bootstrap, clientProperties, librdkafkaProperties, hostsLine } = summary;
  const kill =
    summary.processes === undefined
      ? "podman ps; podman kill CONTAINER"
      : `npm run broker -- kill 1 --data ${summary.processes}`;
  return `
Balafon is deployed to the emulator at ${endpoint}.

  Provisioning API    ${api}
  operator's key      ${apiKeyFile}
  Kafka (SASL_SSL)    ${bootstrap}
  for Java clients    ${clientProperties}
  for librdkafka      ${librdkafkaProperties}

  kcat -F ${librdkafkaProperties} -L
  ${kill}

Names under localhost are this machine for most systems. Where they are not (Debian, containers), add to /etc/hosts:

  ${hostsLine}

Ctrl-C ends this process, without which no client gets in; what is deployed stays, and the next npm run deploy:local
goes on with it. npm run deploy:local -- --destroy removes it.
`;
}
