/** The settings that a client needs, in the words of each family of clients. */
export interface ClientCredentials {
  readonly keyId: string;
  readonly secret: string;
}

export interface ClientAccess {
  /** `127.0.0.1:9192,127.0.0.1:9193`. */
  readonly bootstrap: string;
  readonly authorityFile: string;
}

/** `client.properties` of the Java client and of Kafka's own tools. */
export function javaClientProperties(access: ClientAccess, credentials: ClientCredentials): string {
  const { keyId, secret } = credentials;
  return `bootstrap.servers=${access.bootstrap}
security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="${keyId}" password="${secret}";
ssl.truststore.type=PEM
ssl.truststore.location=${access.authorityFile}
`;
}

/** The same for librdkafka: `kcat -F FILE`, confluent-kafka for Python, Go and .NET. */
export function librdkafkaProperties(access: ClientAccess, credentials: ClientCredentials): string {
  return `bootstrap.servers=${access.bootstrap}
security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.username=${credentials.keyId}
sasl.password=${credentials.secret}
ssl.ca.location=${access.authorityFile}
`;
}

/** The key in a `client.properties` that `javaClientProperties` wrote; undefined when there is none. */
export function credentialsIn(properties: string): ClientCredentials | undefined {
  const match = /username="(?<keyId>[^"]+)" password="(?<secret>[^"]+)"/.exec(properties);
  const { keyId, secret } = match?.groups ?? {};
  return keyId === undefined || secret === undefined ? undefined : { keyId, secret };
}
